import { storeError } from '../errors.js'
import { DataKeys, newRecord, parseRecord, rotated, type DataKeyRecord } from './data-keys.js'
import type { StoreKeySource } from './store-keys.js'

/** Where a store keeps its data keys. */
export interface DataKeyShelf {
  /** What is kept; `revision` is what a later write compares with. Undefined: the store is not encrypted. */
  read(): Promise<{ readonly text: string; readonly revision: bigint } | undefined>
  /** Keeps the first data keys; false when somebody else was faster. @throws AppError `STORE_NOT_ENCRYPTED`: there are values already. */
  create(text: string): Promise<boolean>
  /** Keeps others instead of what was read at `revision`; false when that has changed. */
  replace(text: string, revision: bigint): Promise<boolean>
}

const MAX_ATTEMPTS = 10

/**
 * The data keys of a store: its own, or the first ones of a new store. When the newest key of the key file is not the one that they are under, they
 * are put under it, and there is a new data key for what is written from now on: that is all that a rotation is.
 * @throws AppError `STORE_KEY_INVALID`, `STORE_KEY_UNKNOWN`, `STORE_NOT_ENCRYPTED`, `STORE_CORRUPT`, and as the shelf
 */
export async function openDataKeys(shelf: DataKeyShelf, source: StoreKeySource): Promise<DataKeys> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const keys = source()
    const kept = await shelf.read()
    if (kept === undefined) {
      const made = newRecord(keys)
      if (await shelf.create(textOf(made))) return new DataKeys(made, keys)
      continue
    }
    const record = parseRecord(kept.text)
    const next = rotated(record, keys)
    if (next === undefined) return new DataKeys(record, keys)
    if (await shelf.replace(textOf(next), kept.revision)) return new DataKeys(next, keys)
  }
  throw storeError(
    'STORE_UNAVAILABLE',
    'could not open the store: other processes keep changing its data keys; try again',
  )
}

/** Refuses an encrypted store to a process that has no key. @throws AppError `STORE_ENCRYPTED` */
export async function requirePlain(shelf: Pick<DataKeyShelf, 'read'>): Promise<void> {
  if ((await shelf.read()) !== undefined) throw encryptedError()
}

/** The error of a process that has no key. */
export function encryptedError(): Error {
  return storeError(
    'STORE_ENCRYPTED',
    'could not open the store: its values are encrypted; name the file with its key by TRIBUTARY_STORE_KEY_FILE',
  )
}

function textOf(record: DataKeyRecord): string {
  return JSON.stringify(record)
}
