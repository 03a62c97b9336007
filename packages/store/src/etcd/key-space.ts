import type { IKeyValue } from 'etcd3'
import type { KeySelector, StoreEntry } from '../revisioned-store.js'

/** A half-open interval of etcd keys, or one key when `range_end` is absent: the form in which etcd takes both. */
export interface KeyInterval {
  readonly key: Buffer
  readonly range_end?: Buffer
}

const ZERO = Buffer.from([0])

/**
 * The keys of one store in an etcd that it shares with others: all below a prefix, given back without it. The key that is the
 * prefix itself is the {@link head}; no key of a caller can be it, because the port has no empty key.
 */
export class KeySpace {
  readonly #prefix: Buffer

  constructor(prefix: string) {
    this.#prefix = Buffer.from(prefix)
  }

  /** Written by every transaction that changes the store: its modification revision is the store's last one. */
  get head(): Buffer {
    return this.#prefix
  }

  /** Everything of the store, the head included. */
  get everything(): Required<KeyInterval> {
    return { key: this.#prefix, range_end: endOf(this.#prefix) }
  }

  /** The etcd key of a store key. */
  keyOf(key: string): Buffer {
    return Buffer.concat([this.#prefix, Buffer.from(key)])
  }

  /** The interval that a selector means; never the head. */
  intervalOf(select: KeySelector): KeyInterval {
    if ('key' in select) return { key: this.keyOf(select.key) }
    const start = this.keyOf(select.prefix)
    return { key: select.prefix === '' ? Buffer.concat([start, ZERO]) : start, range_end: endOf(start) }
  }

  /** As {@link intervalOf}, without the keys up to and including `afterKey`. May be empty: then its end is not above its start. */
  intervalAfter(select: KeySelector, afterKey: string): Required<KeyInterval> {
    const { key, range_end: end = Buffer.concat([key, ZERO]) } = this.intervalOf(select)
    const after = Buffer.concat([this.keyOf(afterKey), ZERO])
    return { key: Buffer.compare(after, key) > 0 ? after : key, range_end: end }
  }

  /** True when `key` is the head. */
  isHead(key: Buffer): boolean {
    return this.#prefix.equals(key)
  }

  /** The store key of an etcd key of this store. */
  nameOf(key: Buffer): string {
    return key.toString('utf8', this.#prefix.length)
  }

  entryOf(kv: IKeyValue): StoreEntry {
    return {
      key: this.nameOf(kv.key),
      value: kv.value.toString(),
      createRevision: BigInt(kv.create_revision),
      modRevision: BigInt(kv.mod_revision),
      version: BigInt(kv.version),
      ...(kv.lease === '0' ? {} : { leaseId: kv.lease }),
    }
  }
}

/** The first key above all that start with `start`. UTF-8 has no byte 0xff, so the last one can always be raised. */
function endOf(start: Buffer): Buffer {
  const end = Buffer.from(start)
  end.writeUInt8(end.readUInt8(end.length - 1) + 1, end.length - 1)
  return end
}
