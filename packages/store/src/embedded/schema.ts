import { storeError } from '../errors.js'
import { integerColumn, type SqliteFile, textColumn } from './sqlite-file.js'

/** "TRIB": marks the file as ours, so that another program's database is never written to. */
const APPLICATION_ID = 0x54524942n
/** Values as they are. */
export const PLAIN_VERSION = 1n
/** Encrypted values: a program that knows only the version before refuses the file instead of showing ciphertext. */
export const SEALED_VERSION = 2n

/**
 * One row of `history` is one value of one key with the half-open interval of revisions [rev, until) in which it was the
 * key's value; `until` is NULL while it still is. From it follow, with no second copy of a value:
 *
 * | wanted | rows |
 * | --- | --- |
 * | the keys now | `until IS NULL` |
 * | the keys at revision r | `rev <= r` and (`until IS NULL` or `until > r`) |
 * | the puts of revision r, and what they replaced | `rev = r`, and `until = r` of the same key |
 * | the deletes of revision r | `until = r` with no row `rev = r` of the same key |
 * | what compaction up to r forgets | `until <= r` |
 *
 * Keys are BLOBs, so that SQLite orders them by their bytes and keeps a NUL inside of them.
 */
const SCHEMA = `
  BEGIN IMMEDIATE;
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE history (
    rev INTEGER NOT NULL, key BLOB NOT NULL, until INTEGER, create_rev INTEGER NOT NULL, version INTEGER NOT NULL,
    lease_id TEXT, value BLOB NOT NULL, PRIMARY KEY (rev, key)
  ) WITHOUT ROWID;
  CREATE UNIQUE INDEX history_by_key ON history (key, rev);
  CREATE INDEX history_by_until ON history (until) WHERE until IS NOT NULL;
  CREATE TABLE lease (id TEXT PRIMARY KEY, ttl_ms INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO meta (name, value) VALUES ('revision', 0), ('compacted', 0);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${PLAIN_VERSION};
  COMMIT;
`

/**
 * Makes sure that the file holds a sound store of this version; creates one in an empty file.
 * @throws AppError `STORE_CORRUPT`: damaged, or another program's. `STORE_VERSION_UNSUPPORTED`: written by a newer version.
 */
export async function ensureSchema(file: SqliteFile): Promise<void> {
  if (await isEmpty(file)) return file.exec(SCHEMA)
  if ((await pragma(file, 'application_id')) !== APPLICATION_ID) {
    throw storeError(
      'STORE_CORRUPT',
      `could not open the store ${file.path}: it is another program's database; name another file`,
    )
  }
  const version = await readVersion(file)
  if (version !== PLAIN_VERSION && version !== SEALED_VERSION) {
    throw storeError(
      'STORE_VERSION_UNSUPPORTED',
      `could not open the store ${file.path}: its format is ${version}, this program knows ${PLAIN_VERSION} and ${SEALED_VERSION}; use a newer Tributary`,
    )
  }
  await checkSound(file)
}

/** The format of a file that has the schema. */
export function readVersion(file: SqliteFile): Promise<bigint> {
  return pragma(file, 'user_version')
}

async function isEmpty(file: SqliteFile): Promise<boolean> {
  const rows = await (await file.prepare('SELECT count(*) AS tables FROM sqlite_schema')).all()
  return rows[0] === undefined || integerColumn(rows[0], 'tables') === 0n
}

async function pragma(file: SqliteFile, name: 'application_id' | 'user_version'): Promise<bigint> {
  const rows = await (await file.prepare(`PRAGMA ${name}`)).all()
  return rows[0] === undefined ? 0n : integerColumn(rows[0], name)
}

async function checkSound(file: SqliteFile): Promise<void> {
  const rows = await (await file.prepare('PRAGMA quick_check(1)')).all()
  const answer = rows[0] === undefined ? 'no answer' : textColumn(rows[0], 'quick_check')
  if (answer === 'ok') return
  throw storeError(
    'STORE_CORRUPT',
    `could not open the store ${file.path}: the file is damaged; restore a backup, or move it away (${answer})`,
  )
}
