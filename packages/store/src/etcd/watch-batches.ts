import type { IEvent } from 'etcd3'
import { selects } from '../key-selector.js'
import type { KeySelector, StoreEvent, StoreRevision, WatchBatch } from '../revisioned-store.js'
import { compareUtf8 } from '../utf8.js'
import type { KeySpace } from './key-space.js'
import type { RawRevision } from './revision-assembler.js'

/** What a received revision proves about what was not received. */
export type Continuity =
  /** Nothing is missing before it. */
  | 'whole'
  /** A transaction between the position and this revision was not delivered. */
  | 'gap'
  /** History was compacted while it was sent: previous values are missing, and deletes may be. */
  | 'compacted'

/**
 * Judges a revision that follows `position`. Every transaction puts the head, so the head's previous revision must be one that
 * was delivered; and etcd leaves the previous value out when it was compacted away before it was sent.
 */
export function continuityOf(keys: KeySpace, raw: RawRevision, position: StoreRevision): Continuity {
  if (raw.events.some(lacksPrevious)) return 'compacted'
  const head = raw.events.find((event) => keys.isHead(event.kv.key))
  // The protocol files say that an absent message is null; its types do not.
  const previous = head?.prev_kv ?? undefined
  return previous !== undefined && BigInt(previous.mod_revision) > position ? 'gap' : 'whole'
}

/** The selected changes of a revision, in key order; without any it is a bookmark. */
export function batchOf(keys: KeySpace, raw: RawRevision, select: KeySelector): WatchBatch {
  const events = raw.events
    .filter((event) => !keys.isOwn(event.kv.key) && selects(select, keys.nameOf(event.kv.key)))
    .map((event) => eventOf(keys, event))
  events.sort((left, right) => compareUtf8(nameOf(left), nameOf(right)))
  return { storeRevision: raw.revision, events }
}

function eventOf(keys: KeySpace, { type, kv, prev_kv: before }: IEvent): StoreEvent {
  const previous = before ? { previous: keys.entryOf(before) } : {}
  if (type === 'Put') return { kind: 'put', entry: keys.entryOf(kv), ...previous }
  return { kind: 'delete', key: keys.nameOf(kv.key), modRevision: BigInt(kv.mod_revision), ...previous }
}

function lacksPrevious({ type, kv, prev_kv: before }: IEvent): boolean {
  if (before) return false
  return type !== 'Put' || kv.create_revision !== kv.mod_revision
}

function nameOf(event: StoreEvent): string {
  return event.kind === 'put' ? event.entry.key : event.key
}
