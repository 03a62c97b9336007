import { DataKeys, newRecord } from '../encryption/data-keys.js'
import { encryptedError, openDataKeys, type DataKeyShelf } from '../encryption/open-data-keys.js'
import type { StoreKeySource } from '../encryption/store-keys.js'
import { PLAIN_VALUES, type ValueCodec } from '../encryption/value-codec.js'
import { readVersion, SEALED_VERSION } from './schema.js'
import { blobColumn, integerColumn, type SqliteFile, textColumn } from './sqlite-file.js'

/** One process owns the file, so nobody else can have changed the data keys meanwhile. */
const ONLY_REVISION = 0n

/**
 * How the values of a file are written down. With keys they are encrypted; those of a file that was not are so afterwards, and nothing of their plain text is
 * left in the file. Without keys a file that is encrypted is refused.
 * @throws AppError `STORE_ENCRYPTED`, `STORE_KEY_INVALID`, `STORE_KEY_UNKNOWN`, `STORE_CORRUPT`, `STORE_FULL`
 */
export async function openFileValues(file: SqliteFile, source: StoreKeySource | undefined): Promise<ValueCodec> {
  const isSealed = (await readVersion(file)) === SEALED_VERSION
  if (source === undefined) {
    if (isSealed) throw encryptedError()
    return PLAIN_VALUES
  }
  const dataKeys = isSealed ? await openDataKeys(shelfOf(file), source) : await sealFile(file, source)
  await scrub(file)
  return dataKeys
}

function shelfOf(file: SqliteFile): DataKeyShelf {
  return {
    read: async () => {
      const [row] = await (await file.prepare('SELECT record FROM data_keys')).all()
      return { text: row === undefined ? '' : textColumn(row, 'record'), revision: ONLY_REVISION }
    },
    create: async () => false,
    replace: async (text) => {
      ;(await file.prepare('UPDATE data_keys SET record = ?')).run([text])
      return true
    },
  }
}

/** In one transaction: a file is encrypted as a whole, or not at all. */
async function sealFile(file: SqliteFile, source: StoreKeySource): Promise<DataKeys> {
  const keys = source()
  const record = newRecord(keys)
  const dataKeys = new DataKeys(record, keys)
  await file.exec('BEGIN IMMEDIATE')
  try {
    await file.exec(
      `CREATE TABLE data_keys (record TEXT NOT NULL); INSERT INTO meta (name, value) VALUES ('unscrubbed', 1);
       PRAGMA user_version = ${SEALED_VERSION}`,
    )
    ;(await file.prepare('INSERT INTO data_keys (record) VALUES (?)')).run([JSON.stringify(record)])
    await sealRows(file, dataKeys)
    await file.exec('COMMIT')
  } catch (error) {
    if (file.inTransaction()) await file.exec('ROLLBACK')
    throw error
  }
  return dataKeys
}

async function sealRows(file: SqliteFile, values: ValueCodec): Promise<void> {
  const rows = await (await file.prepare('SELECT rev, key, value FROM history')).all()
  const update = await file.prepare('UPDATE history SET value = ? WHERE rev = ? AND key = ?')
  for (const row of rows) {
    const key = blobColumn(row, 'key')
    update.run([values.seal(key.toString('utf8'), textColumn(row, 'value')), integerColumn(row, 'rev'), key])
  }
}

/** Free pages and the log still hold what the values were: the file is written anew without them, and the log emptied. */
async function scrub(file: SqliteFile): Promise<void> {
  const rows = await (await file.prepare("SELECT value FROM meta WHERE name = 'unscrubbed'")).all()
  if (rows.length === 0) return
  await file.exec('VACUUM')
  await file.exec("DELETE FROM meta WHERE name = 'unscrubbed'")
  await file.exec('PRAGMA wal_checkpoint(TRUNCATE)')
}
