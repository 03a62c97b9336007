import { isAppError } from '@tributary/kit'
import { type DataKeys, parseRecord } from '../encryption/data-keys.js'
import { openDataKeys, requirePlain, type DataKeyShelf } from '../encryption/open-data-keys.js'
import type { StoreKeySource } from '../encryption/store-keys.js'
import { PLAIN_VALUES, type ValueCodec } from '../encryption/value-codec.js'
import { storeError } from '../errors.js'
import type { EtcdConnection } from './etcd-connection.js'
import { ETCD } from './etcd-methods.js'
import { createDataKeys, replaceDataKeys } from './etcd-transaction.js'
import type { KeySpace } from './key-space.js'

/** How the values of a store in etcd are written down. Other processes may make new data keys at any time. */
export interface EtcdValues {
  readonly codec: ValueCodec
  /** Reads the data keys again. @throws AppError `STORE_KEY_UNKNOWN`, and as the connection */
  refresh(): Promise<void>
}

/**
 * Opens the data keys of a store, or makes the first ones of an empty store. Without `source` the store must have none.
 * @param keys of the store; nothing of it is read or written here but the data keys.
 * @throws AppError `STORE_ENCRYPTED`, `STORE_NOT_ENCRYPTED`, `STORE_KEY_INVALID`, `STORE_KEY_UNKNOWN`, `STORE_CORRUPT`
 */
export async function openEtcdValues(
  connection: EtcdConnection,
  keys: KeySpace,
  source: StoreKeySource | undefined,
): Promise<EtcdValues> {
  const shelf = shelfOf(connection, keys)
  if (source === undefined) {
    await requirePlain(shelf)
    return { codec: PLAIN_VALUES, refresh: async () => undefined }
  }
  const codec: DataKeys = await openDataKeys(shelf, source)
  const refresh = async (): Promise<void> => {
    const kept = await shelf.read()
    if (kept !== undefined) codec.adopt(parseRecord(kept.text), source())
  }
  return { codec, refresh }
}

/**
 * Runs `decode`, which opens values that were read, and once more after a refresh when it met a data key that is not known: another process has made it since.
 */
export async function decoding<T>(values: EtcdValues, decode: () => T): Promise<T> {
  try {
    return decode()
  } catch (error) {
    if (!isAppError(error, 'STORE_KEY_UNKNOWN')) throw error
    await values.refresh()
    return decode()
  }
}

function shelfOf(connection: EtcdConnection, keys: KeySpace): DataKeyShelf {
  const call = { attempt: 'open the data keys', repeatable: true }
  const read: DataKeyShelf['read'] = async () => {
    const { kvs } = await connection.unary(ETCD.range, { key: keys.dataKeys }, call)
    const [kept] = kvs
    return kept === undefined ? undefined : { text: kept.value.toString(), revision: BigInt(kept.mod_revision) }
  }
  return {
    read,
    create: async (text) => {
      const { succeeded } = await connection.unary(ETCD.txn, createDataKeys(keys, text), call)
      if (succeeded || (await read()) !== undefined) return succeeded
      throw storeError(
        'STORE_NOT_ENCRYPTED',
        'could not open the etcd store: it holds values that are not encrypted; export it without the key, and import it with the key into another prefix',
      )
    },
    replace: async (text, revision) => {
      const { succeeded } = await connection.unary(ETCD.txn, replaceDataKeys(keys, text, revision), call)
      return succeeded
    },
  }
}
