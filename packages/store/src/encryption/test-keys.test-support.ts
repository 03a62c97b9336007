import { randomBytes } from 'node:crypto'
import { parseStoreKeys, type StoreKeySource } from './store-keys.js'

/** A line of a key file. */
export function newKeyLine(): string {
  return randomBytes(32).toString('base64url')
}

/** Keys as a key file with these lines says them; without lines, one new key. */
export function newTestKeys(...lines: string[]): StoreKeySource {
  const keys = parseStoreKeys(lines.length === 0 ? newKeyLine() : lines.join('\n'))
  if (keys === undefined) throw new Error('these lines are no keys')
  return () => keys
}
