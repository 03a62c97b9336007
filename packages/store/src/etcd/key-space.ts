import type { IKeyValue } from 'etcd3'
import { PLAIN_VALUES, type ValueCodec } from '../encryption/value-codec.js'
import { RESERVED_KEY } from '../check-request.js'
import type { KeySelector, StoreEntry } from '../revisioned-store.js'

/** A half-open interval of etcd keys, or one key when `range_end` is absent: the form in which etcd takes both. */
export interface KeyInterval {
  readonly key: Buffer
  readonly range_end?: Buffer
}

const ZERO = Buffer.from([0])

/**
 * The keys of one store in an etcd that it shares with others: all below a prefix, given back without it, and how their values are
 * written down. The key that is the prefix itself is the {@link head}; no key of a caller can be it, because the port has no empty key.
 */
export class KeySpace {
  readonly #prefix: Buffer
  readonly #values: ValueCodec

  constructor(prefix: string, values: ValueCodec = PLAIN_VALUES) {
    this.#prefix = Buffer.from(prefix)
    this.#values = values
  }

  /** Written by every transaction that changes the store: its modification revision is the store's last one. */
  get head(): Buffer {
    return this.#prefix
  }

  /** Everything of the store, the head included. */
  get everything(): Required<KeyInterval> {
    return { key: this.#prefix, range_end: endOf(this.#prefix) }
  }

  /** Where the data keys of an encrypted store are; no selector finds it. */
  get dataKeys(): Buffer {
    return Buffer.concat([this.#prefix, ZERO])
  }

  /** Whether `key` is the head or the data keys: nothing that callers have written. */
  isOwn(key: Buffer): boolean {
    return this.isHead(key) || this.dataKeys.equals(key)
  }

  /** What etcd keeps for the value of a store key. */
  storedValue(key: string, value: string): Buffer {
    return Buffer.from(this.#values.seal(key, value))
  }

  /** The etcd key of a store key. */
  keyOf(key: string): Buffer {
    return Buffer.concat([this.#prefix, Buffer.from(key)])
  }

  /** The interval that a selector means; never the head. */
  intervalOf(select: KeySelector): KeyInterval {
    if ('key' in select) return { key: this.keyOf(select.key) }
    const start = Buffer.concat([this.#prefix, Buffer.from(select.prefix)])
    // Behind the head and the data keys, which are the first two keys below the prefix.
    const isBefore = select.prefix === '' || select.prefix === RESERVED_KEY
    return { key: isBefore ? Buffer.concat([this.dataKeys, ZERO]) : start, range_end: endOf(start) }
  }

  /** As {@link intervalOf}, without the keys up to and including `afterKey`. May be empty: then its end is not above its start. */
  intervalAfter(select: KeySelector, afterKey: string): Required<KeyInterval> {
    const { key, range_end: end = Buffer.concat([key, ZERO]) } = this.intervalOf(select)
    const after = Buffer.concat([this.#prefix, Buffer.from(afterKey), ZERO])
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
    const key = this.nameOf(kv.key)
    return {
      key,
      value: this.#values.open(key, kv.value),
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
