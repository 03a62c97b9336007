import { isAppError } from '@tributary/kit'
import type {
  KeySelector,
  Mutation,
  RevisionedStore,
  StoreEntry,
  StoreEvent,
  StoreRevision,
  WatchBatch,
} from '@tributary/store'
import { expect } from 'vitest'
import { eventually } from '../eventually.js'

/** Every key. */
export const EVERYTHING: KeySelector = { prefix: '' }

/** A put of a transaction. */
export function putOf(key: string, value: string, leaseId?: string): Mutation {
  return { kind: 'put', key, value, ...(leaseId === undefined ? {} : { leaseId }) }
}

/** A delete of one key. */
export function deleteOf(key: string): Mutation {
  return { kind: 'delete', select: { key } }
}

/** Commits mutations without a condition; answers the revision. */
export async function write(store: RevisionedStore, ...mutations: Mutation[]): Promise<StoreRevision> {
  const result = await store.transact({ compares: [], mutations })
  expect(result.succeeded).toBe(true)
  return result.storeRevision
}

/** Puts one key; answers the revision. */
export function put(store: RevisionedStore, key: string, value: string): Promise<StoreRevision> {
  return write(store, putOf(key, value))
}

/** The entry of one key, undefined when there is none. */
export async function find(
  store: RevisionedStore,
  key: string,
  atRevision?: StoreRevision,
): Promise<StoreEntry | undefined> {
  const { entries } = await store.range({ select: { key }, ...(atRevision === undefined ? {} : { atRevision }) })
  return entries[0]
}

/** All keys under a prefix, in the order of the store. */
export async function keys(store: RevisionedStore, prefix = ''): Promise<string[]> {
  return (await store.range({ select: { prefix } })).entries.map((entry) => entry.key)
}

/** The code of the AppError that a call rejects with. Any other outcome of the call is a failure of the test. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (isAppError(error)) return error.code
  throw new Error(`expected the call to be refused with an AppError, got ${String(error)}`)
}

/** The key that an event is about. */
export function keyOf(event: StoreEvent): string {
  return event.kind === 'put' ? event.entry.key : event.key
}

/** Batches without bookmarks, with events in a fixed order: the port promises none inside of one revision. */
export function changes(batches: readonly WatchBatch[]): WatchBatch[] {
  return batches
    .filter((batch) => batch.events.length > 0)
    .map((batch) => ({ ...batch, events: [...batch.events].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)) }))
}

/** Consumes a watch in the background and remembers what it saw and how it ended. */
export class WatchProbe {
  readonly batches: WatchBatch[] = []
  readonly #abort = new AbortController()
  readonly #done: Promise<void>
  error: unknown
  ended = false

  constructor(store: RevisionedStore, select: KeySelector, after: StoreRevision) {
    this.#done = this.#consume(store.watch({ select, after, signal: this.#abort.signal }))
  }

  /** Resolves when everything up to `revision` has been delivered. */
  async reaches(revision: StoreRevision): Promise<WatchBatch[]> {
    await eventually(() => {
      if (this.error !== undefined) throw this.error
      const reached = this.batches.at(-1)?.storeRevision ?? 'nothing'
      if (reached === 'nothing' || reached < revision)
        throw new Error(`the watch has reached ${reached}, not ${revision}`)
    })
    return this.batches
  }

  /** Aborts the watch and resolves when its iteration has ended. */
  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#done
  }

  /** Resolves when the iteration has ended, however it did. */
  async finished(): Promise<void> {
    await this.#done
  }

  async #consume(watch: AsyncIterable<WatchBatch>): Promise<void> {
    try {
      for await (const batch of watch) this.batches.push(batch)
    } catch (error) {
      this.error = error
    } finally {
      this.ended = true
    }
  }
}

/** Everything that a watch delivers from after `after` up to `upTo`. */
export async function replay(
  store: RevisionedStore,
  select: KeySelector,
  interval: { readonly after: StoreRevision; readonly upTo: StoreRevision },
): Promise<WatchBatch[]> {
  const probe = new WatchProbe(store, select, interval.after)
  try {
    return await probe.reaches(interval.upTo)
  } finally {
    await probe.stop()
  }
}
