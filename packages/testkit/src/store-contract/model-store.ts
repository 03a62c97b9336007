import type {
  Compare,
  KeySelector,
  Mutation,
  StoreEntry,
  StoreEvent,
  TransactRequest,
  TransactResult,
  WatchBatch,
} from '@tributary/store'
import { keyOf } from './store-actions.js'

/** The store port at its simplest: a whole copy of the keys at each revision. What every adapter is compared with. */
export class ModelStore {
  readonly #snapshots = new Map<bigint, ReadonlyMap<string, StoreEntry>>()
  readonly batches: WatchBatch[] = []
  revision: bigint

  constructor(revision: bigint) {
    this.revision = revision
    this.#snapshots.set(revision, new Map())
  }

  /** The selected entries at a revision, in the order of their UTF-8 bytes. */
  range(select: KeySelector, atRevision: bigint = this.revision): StoreEntry[] {
    const snapshot = this.#snapshots.get(atRevision) ?? new Map<string, StoreEntry>()
    return [...snapshot.values()]
      .filter((entry) => matches(select, entry.key))
      .sort((left, right) => Buffer.compare(Buffer.from(left.key), Buffer.from(right.key)))
  }

  transact(request: TransactRequest): TransactResult {
    if (!request.compares.every((compare) => this.#holds(compare))) {
      return { succeeded: false, storeRevision: this.revision }
    }
    const revision = this.revision + 1n
    const events = request.mutations.flatMap((mutation) => this.#events(mutation, revision))
    if (events.length > 0) this.#record(revision, events)
    return { succeeded: true, storeRevision: this.revision }
  }

  #events(mutation: Mutation, revision: bigint): StoreEvent[] {
    if (mutation.kind === 'delete') {
      return this.range(mutation.select).map((previous) => ({
        kind: 'delete',
        key: previous.key,
        modRevision: revision,
        previous,
      }))
    }
    const [previous] = this.range({ key: mutation.key })
    const entry: StoreEntry = {
      key: mutation.key,
      value: mutation.value,
      createRevision: previous?.createRevision ?? revision,
      modRevision: revision,
      version: (previous?.version ?? 0n) + 1n,
    }
    return [{ kind: 'put', entry, ...(previous === undefined ? {} : { previous }) }]
  }

  #record(revision: bigint, events: StoreEvent[]): void {
    const snapshot = new Map(this.#snapshots.get(this.revision))
    for (const event of events) {
      if (event.kind === 'put') snapshot.set(event.entry.key, event.entry)
      else snapshot.delete(event.key)
    }
    const unique = new Map(events.map((event) => [keyOf(event), event]))
    this.batches.push({ storeRevision: revision, events: [...unique.values()] })
    this.#snapshots.set(revision, snapshot)
    this.revision = revision
  }

  #holds({ select, target, op, value }: Compare): boolean {
    const entries = this.range(select)
    const actual = entries.length === 0 ? [0n] : entries.map((entry) => entry[target])
    const rules: Record<Compare['op'], (left: bigint) => boolean> = {
      '=': (left) => left === value,
      '!=': (left) => left !== value,
      '<': (left) => left < value,
      '<=': (left) => left <= value,
      '>': (left) => left > value,
      '>=': (left) => left >= value,
    }
    return actual.every(rules[op])
  }
}

/** True when `select` names `key`. */
export function matches(select: KeySelector, key: string): boolean {
  return 'key' in select ? select.key === key : Buffer.from(key).indexOf(Buffer.from(select.prefix)) === 0
}
