import type { ValueCodec } from '../encryption/value-codec.js'
import { closedError } from '../errors.js'
import type {
  RangeRequest,
  StoreEntry,
  StoreEvent,
  StoreLease,
  StoreRevision,
  WatchBatch,
} from '../revisioned-store.js'
import { batchesOfRows, entryOfRow } from './history-rows.js'
import { Serial } from './serial.js'
import { integerColumn, type SqliteFile, type SqlParameter, type SqlStatement, textColumn } from './sqlite-file.js'
import type { LeaseChange } from './staged-changes.js'

/** What one group commit writes. */
export interface CommitRecord {
  readonly revision: StoreRevision
  readonly batches: readonly WatchBatch[]
  readonly leaseChanges: readonly LeaseChange[]
}

/** Where the file stands. */
export interface HistoryPosition {
  readonly revision: StoreRevision
  readonly compactedRevision: StoreRevision
}

const STATEMENTS = {
  begin: 'BEGIN IMMEDIATE',
  position:
    "SELECT (SELECT value FROM meta WHERE name = 'revision') AS revision, (SELECT value FROM meta WHERE name = 'compacted') AS compacted",
  setRevision: "UPDATE meta SET value = ? WHERE name = 'revision'",
  end: 'UPDATE history SET until = ? WHERE rev = ? AND key = ?',
  insert: 'INSERT INTO history (rev, key, create_rev, version, lease_id, value) VALUES (?, ?, ?, ?, ?, ?)',
  current: 'SELECT * FROM history WHERE until IS NULL',
  begun: 'SELECT * FROM history WHERE rev > ? AND rev <= ?',
  ended: 'SELECT * FROM history WHERE until > ? AND until <= ?',
  at: `SELECT * FROM history WHERE key >= ?1 AND key < ?2 AND rev <= ?3 AND (until IS NULL OR until > ?3)
       ORDER BY key LIMIT ?4`,
  keyAt: 'SELECT * FROM history WHERE key = ?1 AND rev <= ?2 AND (until IS NULL OR until > ?2)',
  grantLease: 'INSERT OR REPLACE INTO lease (id, ttl_ms) VALUES (?, ?)',
  endLease: 'DELETE FROM lease WHERE id = ?',
  leases: 'SELECT * FROM lease',
} as const

type Statements = { readonly [Name in keyof typeof STATEMENTS]: SqlStatement }

/** All SQL of the store. Calls run one at a time: a read never sees half of a commit. */
export class HistoryTable {
  readonly #file: SqliteFile
  readonly #sql: Statements
  readonly #serial = new Serial()
  #closed = false

  readonly #values: ValueCodec

  private constructor(file: SqliteFile, sql: Statements, values: ValueCodec) {
    this.#file = file
    this.#sql = sql
    this.#values = values
  }

  /** Prepares the statements on a file that has the schema. */
  static async prepare(file: SqliteFile, values: ValueCodec): Promise<HistoryTable> {
    const prepared: Record<string, SqlStatement> = {}
    for (const [name, sql] of Object.entries(STATEMENTS)) prepared[name] = await file.prepare(sql)
    return new HistoryTable(file, prepared as Statements, values)
  }

  /** The file's own revision and compacted revision. */
  position(): Promise<HistoryPosition> {
    return this.#run(async () => {
      const row = (await this.#sql.position.all())[0] ?? {}
      return { revision: integerColumn(row, 'revision'), compactedRevision: integerColumn(row, 'compacted') }
    })
  }

  /** Every key's newest entry, in no order. */
  current(): Promise<StoreEntry[]> {
    return this.#run(async () => (await this.#sql.current.all()).map((row) => entryOfRow(this.#values, row)))
  }

  /** Every lease that was granted and has not ended. */
  leases(): Promise<StoreLease[]> {
    return this.#run(async () =>
      (await this.#sql.leases.all()).map((row) => ({
        leaseId: textColumn(row, 'id'),
        ttlMs: Number(integerColumn(row, 'ttl_ms')),
      })),
    )
  }

  /** Writes the record durably: when it resolves an fsync has confirmed it. When it rejects, {@link rollBack} first. */
  commit(record: CommitRecord): Promise<void> {
    return this.#run(async () => {
      this.#sql.begin.run()
      for (const batch of record.batches) this.#writeBatch(batch)
      for (const change of record.leaseChanges) this.#writeLease(change)
      this.#sql.setRevision.run([record.revision])
      await this.#file.exec('COMMIT')
    })
  }

  /** Ends a transaction that a failed commit left open. */
  rollBack(): Promise<void> {
    return this.#run(() => this.#rollBack())
  }

  /** The selected keys as they stood at `revision`, in key order, at most `limit` of them. */
  rangeAt(request: RangeRequest, revision: StoreRevision, limit: number): Promise<StoreEntry[]> {
    return this.#run(async () => {
      const { select, afterKey } = request
      const rows =
        'key' in select
          ? await this.#sql.keyAt.all([Buffer.from(select.key), revision])
          : await this.#sql.at.all([...keyBounds(select.prefix, afterKey), revision, BigInt(limit)])
      return rows.map((row) => entryOfRow(this.#values, row))
    })
  }

  /** Every revision in (`after`, `upTo`] with its events in key order; whole only for revisions that are not compacted. */
  replay(after: StoreRevision, upTo: StoreRevision): Promise<WatchBatch[]> {
    return this.#run(async () => {
      const [begun, ended] = [await this.#sql.begun.all([after, upTo]), await this.#sql.ended.all([after, upTo])]
      return batchesOfRows(this.#values, { begun, ended })
    })
  }

  /** Forgets history up to and including `revision`; when it rejects nothing was forgotten. */
  compact(revision: StoreRevision): Promise<void> {
    return this.#run(async () => {
      try {
        await this.#file.exec(
          `BEGIN IMMEDIATE; DELETE FROM history WHERE until <= ${revision};
           UPDATE meta SET value = ${revision} WHERE name = 'compacted'; COMMIT`,
        )
      } catch (error) {
        await this.#rollBack()
        throw error
      }
    })
  }

  /** Brings what commits have left in the log into the file itself. Nothing depends on it but the time that SQLite takes for that otherwise. */
  fold(): Promise<void> {
    return this.#run(async () => {
      // What a failed commit has left open is rolled back next; until then SQLite refuses to fold.
      if (!this.#file.inTransaction()) await this.#file.exec('PRAGMA wal_checkpoint(PASSIVE)')
    })
  }

  /** Frees the file after the calls that are under way. */
  close(): Promise<void> {
    const closing = this.#run(() => this.#file.close())
    this.#closed = true
    return closing
  }

  /** One call at a time. A closed driver would still run statements, on a file that another may own by now. */
  #run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(closedError())
    return this.#serial.run(task)
  }

  async #rollBack(): Promise<void> {
    // SQLite has rolled back by itself after a full disk and after I/O errors.
    if (this.#file.inTransaction()) await this.#file.exec('ROLLBACK')
  }

  #writeBatch(batch: WatchBatch): void {
    for (const event of batch.events) this.#writeEvent(event, batch.storeRevision)
  }

  #writeEvent(event: StoreEvent, revision: StoreRevision): void {
    const { previous } = event
    if (previous !== undefined) this.#sql.end.run([revision, previous.modRevision, Buffer.from(previous.key)])
    if (event.kind === 'delete') return
    const { key, value, createRevision, modRevision, version, leaseId } = event.entry
    const stored = storedValue(this.#values.seal(key, value))
    this.#sql.insert.run([modRevision, Buffer.from(key), createRevision, version, leaseId ?? null, stored])
  }

  #writeLease(change: LeaseChange): void {
    if (change.kind === 'ended') this.#sql.endLease.run([change.leaseId])
    else this.#sql.grantLease.run([change.lease.leaseId, BigInt(change.lease.ttlMs)])
  }
}

/** The driver cuts text at a NUL when it reads it, and aborts on an empty BLOB: text unless it holds a NUL. */
function storedValue(value: string | Uint8Array): SqlParameter {
  return typeof value === 'string' && value.includes('\0') ? Buffer.from(value) : value
}

/** Inclusive lower and exclusive upper bound of the keys below `prefix` after `afterKey`. */
function keyBounds(prefix: string, afterKey: string | undefined): [Buffer, Buffer] {
  const start = Buffer.from(prefix)
  // The least key greater than a key is the key with a NUL behind it.
  const after = afterKey === undefined ? start : Buffer.from(`${afterKey}\0`)
  // UTF-8 has no byte 0xFF: behind the prefix it is greater than whatever a key can have there.
  return [after.compare(start) > 0 ? after : start, Buffer.concat([start, Buffer.of(0xff)])]
}
