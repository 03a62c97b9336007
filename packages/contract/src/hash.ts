import { createHash } from 'node:crypto'
import { canonicalJson } from './canonical-json.js'

/** Bytes of a digest and of a channel's sum. */
const DIGEST_BYTES = 32

/** SHA-256 of one item in canonical form: `utf8(key + "\n" + JCS(value))` (docs/adr/0002). */
export function itemDigest(key: string, value: unknown): Buffer {
  return createHash('sha256')
    .update(`${key}\n${canonicalJson(value)}`, 'utf8')
    .digest()
}

/** Hash of a channel: XOR of its items' digests, hex. No items: 64 zeros. */
export function hashItems(items: Iterable<readonly [key: string, value: unknown]>): string {
  const sum = emptySum()
  for (const [key, value] of items) xorInto(sum, itemDigest(key, value))
  return sum.toString('hex')
}

/** The sum of no items. */
export function emptySum(): Buffer {
  return Buffer.alloc(DIGEST_BYTES)
}

/** Adds a digest to a sum in place, or takes it out again: XOR is its own inverse. */
export function xorInto(sum: Buffer, digest: Buffer): void {
  for (let index = 0; index < DIGEST_BYTES; index += 1) sum[index] = sum[index]! ^ digest[index]!
}
