import type { ValueCodec } from '../encryption/value-codec.js'
import type { StoreEntry, StoreEvent, StoreRevision, WatchBatch } from '../revisioned-store.js'
import { compareUtf8 } from '../utf8.js'
import { blobColumn, integerColumn, optionalText, type SqlRow, textColumn } from './sqlite-file.js'
import { eventKey } from './staged-changes.js'

/** The entry that a row of `history` holds. */
export function entryOfRow(values: ValueCodec, row: SqlRow): StoreEntry {
  const leaseId = optionalText(row, 'lease_id')
  const key = textColumn(row, 'key')
  return {
    key,
    value: values.open(key, blobColumn(row, 'value')),
    createRevision: integerColumn(row, 'create_rev'),
    modRevision: integerColumn(row, 'rev'),
    version: integerColumn(row, 'version'),
    ...(leaseId === undefined ? {} : { leaseId }),
  }
}

/**
 * The revisions that rows tell of, ascending, each with its events in key order.
 * @param rows those whose `rev` lies in the wanted interval, and those whose `until` does.
 */
export function batchesOfRows(
  values: ValueCodec,
  { begun, ended }: { readonly begun: readonly SqlRow[]; readonly ended: readonly SqlRow[] },
): WatchBatch[] {
  const revisions = new Map<StoreRevision, Map<string, StoreEvent>>()
  const put = (revision: StoreRevision, event: StoreEvent): void => {
    const events = revisions.get(revision) ?? new Map<string, StoreEvent>()
    revisions.set(revision, events.set(eventKey(event), event))
  }
  for (const row of ended) {
    const previous = entryOfRow(values, row)
    const revision = integerColumn(row, 'until')
    put(revision, { kind: 'delete', key: previous.key, modRevision: revision, previous })
  }
  for (const row of begun) {
    const entry = entryOfRow(values, row)
    // What ended at the revision at which the same key begins was replaced, not deleted.
    const previous = revisions.get(entry.modRevision)?.get(entry.key)?.previous
    put(entry.modRevision, { kind: 'put', entry, ...(previous === undefined ? {} : { previous }) })
  }
  return [...revisions]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([storeRevision, events]) => ({ storeRevision, events: inKeyOrder([...events.values()]) }))
}

function inKeyOrder(events: StoreEvent[]): StoreEvent[] {
  return events.sort((left, right) => compareUtf8(eventKey(left), eventKey(right)))
}
