import Database from 'libsql/promise'
import { toStoreError } from './sqlite-errors.js'

/** What a parameter of a statement can be. Integers are always `bigint`: store revisions pass 2^53. */
export type SqlParameter = bigint | string | Uint8Array | null

/** One row as the driver answers it; read its columns with {@link integerColumn} and the like. */
export type SqlRow = Readonly<Record<string, unknown>>

/** A prepared statement. `run` works in the page cache; `all` starts off the main thread. */
export interface SqlStatement {
  run(parameters?: readonly SqlParameter[]): void
  all(parameters?: readonly SqlParameter[]): Promise<SqlRow[]>
}

/**
 * The part of an SQLite driver that the store needs, so that the driver can be swapped (better-sqlite3, `node:sqlite`).
 * One connection, used by one caller at a time; every failure is an AppError that names the file.
 */
export interface SqliteFile {
  readonly path: string
  /** Runs statements off the main thread: an fsync does not block the event loop. */
  exec(sql: string): Promise<void>
  prepare(sql: string): Promise<SqlStatement>
  /** False after SQLite rolled a failed transaction back by itself. */
  inTransaction(): boolean
  /** Frees the file and its lock. */
  close(): Promise<void>
}

/**
 * Opens `path` for this process alone: a second opener, here or in another process, fails at once with `STORE_LOCKED`, and the
 * kernel frees the lock when the process dies.
 * @throws AppError `STORE_LOCKED`, `STORE_NOT_WRITABLE`, `STORE_CORRUPT`, `STORE_FULL`.
 */
export async function openSqliteFile(path: string): Promise<SqliteFile> {
  const file = new LibsqlFile(path)
  try {
    // Exclusive before WAL: SQLite then keeps the WAL index on its heap and never lets go of the file lock.
    await file.exec('PRAGMA locking_mode=EXCLUSIVE')
    await file.exec('PRAGMA journal_mode=WAL')
    await file.exec('PRAGMA synchronous=FULL')
    await file.exec('BEGIN IMMEDIATE; COMMIT')
    file.opened()
    return file
  } catch (error) {
    file.abandon()
    throw error
  }
}

class LibsqlFile implements SqliteFile {
  readonly path: string
  readonly #database: Database
  #attempt = 'open the store'

  constructor(path: string) {
    this.path = path
    try {
      this.#database = new Database(path, {}).defaultSafeIntegers(true)
    } catch (error) {
      // The driver loses SQLite's code here; opening fails only when the file cannot be opened.
      throw toStoreError(Object.assign(new Error(String(error)), { code: 'SQLITE_CANTOPEN' }), this.#attempt, path)
    }
  }

  /** From here on errors speak of using the file, not of opening it. */
  opened(): void {
    this.#attempt = 'use the store'
  }

  inTransaction(): boolean {
    // The driver defines this property at run time; its types leave it out.
    return Reflect.get(this.#database, 'inTransaction') === true
  }

  async exec(sql: string): Promise<void> {
    try {
      await this.#database.exec(sql)
    } catch (error) {
      throw toStoreError(error, this.#attempt, this.path)
    }
  }

  async prepare(sql: string): Promise<SqlStatement> {
    try {
      const statement = await this.#database.prepare(sql)
      return {
        // The parameters go as one array: the driver takes a single object, a Buffer too, for named parameters and aborts.
        run: (parameters = []) => this.#mapped(() => void statement.run(parameters)),
        all: async (parameters = []) => {
          try {
            return await statement.all(parameters)
          } catch (error) {
            throw toStoreError(error, this.#attempt, this.path)
          }
        },
      }
    } catch (error) {
      throw toStoreError(error, this.#attempt, this.path)
    }
  }

  async close(): Promise<void> {
    try {
      // The driver keeps the connection, and so the lock, until its statements are collected. Leaving WAL and exclusive mode,
      // then reading once, frees the lock now and leaves one whole file that can be copied.
      await this.exec('PRAGMA journal_mode=DELETE')
      await this.exec('PRAGMA locking_mode=NORMAL')
      await this.exec('SELECT count(*) FROM sqlite_schema')
    } finally {
      this.abandon()
    }
  }

  abandon(): void {
    this.#database.close()
  }

  #mapped<T>(call: () => T): T {
    try {
      return call()
    } catch (error) {
      throw toStoreError(error, this.#attempt, this.path)
    }
  }
}

/** The integer in `column`. */
export function integerColumn(row: SqlRow, column: string): bigint {
  const value = row[column]
  if (typeof value === 'bigint') return value
  throw new TypeError(`column ${column} holds ${typeof value}, not an integer`)
}

/** The text in `column`, whether it is stored as text or as its UTF-8 bytes. */
export function textColumn(row: SqlRow, column: string): string {
  const value = row[column]
  if (typeof value === 'string') return value
  if (value instanceof ArrayBuffer) return Buffer.from(value).toString('utf8')
  throw new TypeError(`column ${column} holds ${typeof value}, not text`)
}

/** The bytes in `column`, whether they are stored as a BLOB or as text. */
export function blobColumn(row: SqlRow, column: string): Buffer {
  const value = row[column]
  if (value instanceof ArrayBuffer) return Buffer.from(value)
  if (typeof value === 'string') return Buffer.from(value)
  throw new TypeError(`column ${column} holds ${typeof value}, not bytes`)
}

/** Like {@link textColumn}, undefined for NULL. */
export function optionalText(row: SqlRow, column: string): string | undefined {
  return row[column] === null ? undefined : textColumn(row, column)
}
