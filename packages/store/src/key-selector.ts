import type { KeySelector } from './revisioned-store.js'

/** True when `select` names `key`. */
export function selects(select: KeySelector, key: string): boolean {
  return 'key' in select ? select.key === key : key.startsWith(select.prefix)
}
