import { canonicalJson } from '@tributary/contract'
import { emptySum, itemDigest, xorInto } from '@tributary/contract/hash'

/** An item's value as canonical JSON text, with the digest of its key and value. Immutable, and shared by every channel that has it. */
export interface Item {
  readonly json: string
  readonly digest: Buffer
}

/** One changed item; undefined: gone. */
export type ItemChange = readonly [key: string, item: Item | undefined]

/** The item that `value` makes under `key`. */
export function makeItem(key: string, value: unknown): Item {
  return { json: canonicalJson(value), digest: itemDigest(key, value) }
}

/** Items by key with their sum, kept up change by change (docs/adr/0002). */
export class KeyedItems {
  readonly #items = new Map<string, Item>()
  readonly #sum = emptySum()

  /** XOR of the digests. Read it only; it changes in place. */
  get sum(): Buffer {
    return this.#sum
  }

  keys(): IterableIterator<string> {
    return this.#items.keys()
  }

  entries(): IterableIterator<[string, Item]> {
    return this.#items.entries()
  }

  /** Sets or removes an item. False when that is how it was already, judged by canonical form. */
  set(key: string, item: Item | undefined): boolean {
    const before = this.#items.get(key)
    if (before === item || (before !== undefined && item?.digest.equals(before.digest) === true)) return false
    if (before !== undefined) xorInto(this.#sum, before.digest)
    if (item === undefined) this.#items.delete(key)
    else {
      xorInto(this.#sum, item.digest)
      this.#items.set(key, item)
    }
    return true
  }

  /** Makes `wanted` the whole content and says what that changed. */
  replaceAll(wanted: ReadonlyMap<string, Item>): ItemChange[] {
    const changes: ItemChange[] = []
    for (const key of this.#items.keys()) {
      if (!wanted.has(key) && this.set(key, undefined)) changes.push([key, undefined])
    }
    for (const [key, item] of wanted) if (this.set(key, item)) changes.push([key, item])
    return changes
  }
}
