import { addStoreKey, readStoreKeys, type StoreKeySource } from '@tributary/store'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Where the key is when nobody says otherwise: beside what it encrypts, so that a copy of a store alone is of no use. */
const KEY_FILE = 'store.key'

/**
 * The keys that encrypt what the platform stores: those of `TRIBUTARY_STORE_KEY_FILE`, else of `store.key` in the data folder, which is made when it is not there.
 * @throws AppError `STORE_KEY_INVALID`
 */
export function ensureStoreKeys({
  data,
  env,
}: {
  readonly data: string
  readonly env: Readonly<Record<string, string | undefined>>
}): StoreKeySource {
  const given = env['TRIBUTARY_STORE_KEY_FILE']
  const path = given ?? join(data, KEY_FILE)
  if (given === undefined && !existsSync(path)) addStoreKey(path)
  return () => readStoreKeys(path)
}
