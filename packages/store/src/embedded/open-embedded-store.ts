import { mkdir, open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type Clock, systemClock } from '@tributary/kit'
import type { StoreKeySource } from '../encryption/store-keys.js'
import { CommittedState } from './committed-state.js'
import { EmbeddedRevisionedStore } from './embedded-revisioned-store.js'
import { openFileValues } from './file-values.js'
import { HistoryTable } from './history-table.js'
import { ensureSchema } from './schema.js'
import { toStoreError } from './sqlite-errors.js'
import { openSqliteFile, type SqliteFile } from './sqlite-file.js'

/** How to open an embedded store. */
export interface EmbeddedStoreOptions {
  /** The file; it and its folder are created, for this user alone, when they are missing. */
  readonly path: string
  /** Encrypts values at rest; a file that is not encrypted yet is so from then on. Default: they are not, and an encrypted file is refused. */
  readonly keys?: StoreKeySource | undefined
  /** Default: the machine's clock. */
  readonly clock?: Clock
  /** History is compacted by itself to about this many revisions (up to a tenth more). Default 10,000. */
  readonly keepRevisions?: number
  /** The newest revisions held in memory for watchers. Default 2,048; older ones are read from the file. */
  readonly memoryRevisions?: number
  /** Bound of the file's size; writes beyond it answer `STORE_FULL`. Default: none but the disk's. */
  readonly quotaBytes?: number
  /**
   * Told when compaction in the background fails (it is tried again later), and when a full disk keeps the file from being tidied
   * at the close (the lock then lasts until the process ends). Default: a process warning.
   */
  readonly onBackgroundError?: (error: unknown) => void
}

const DEFAULT_KEEP_REVISIONS = 10_000
const DEFAULT_MEMORY_REVISIONS = 2_048
const MEMORY_SIZE = 16 * 1024 * 1024
const PAGE_BYTES = 4_096

/**
 * Opens the store in the file at `path`, for this process alone; the lock goes when the process ends, however it ends.
 * After a restart every lease has its whole time to live again: no heartbeat could reach a closed store, and neither the wall
 * clock nor another boot's monotonic clock can tell how long it was closed.
 * @throws AppError `STORE_LOCKED`, `STORE_NOT_WRITABLE`, `STORE_CORRUPT`, `STORE_VERSION_UNSUPPORTED`, `STORE_FULL`, `STORE_ENCRYPTED`,
 * `STORE_KEY_INVALID`, `STORE_KEY_UNKNOWN`.
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedRevisionedStore> {
  const path = resolve(options.path)
  await createPrivateFile(path)
  const file = await openSqliteFile(path)
  try {
    return await openStoreInFile(file, options)
  } catch (error) {
    // The reason why the store cannot be used matters; that its damaged file also closes badly does not.
    await file.close().catch(() => undefined)
    throw toStoreError(error, 'open the store', path)
  }
}

/** As {@link openEmbeddedStore}, in a file that is open already: the seam at which tests make a disk fail. */
export async function openStoreInFile(
  file: SqliteFile,
  options: EmbeddedStoreOptions,
): Promise<EmbeddedRevisionedStore> {
  await ensureSchema(file)
  if (options.quotaBytes !== undefined) {
    await file.exec(`PRAGMA max_page_count=${Math.max(1, Math.floor(options.quotaBytes / PAGE_BYTES))}`)
  }
  const history = await HistoryTable.prepare(file, await openFileValues(file, options.keys))
  const clock = options.clock ?? systemClock
  const loaded = { ...(await history.position()), entries: await history.current(), leases: await history.leases() }
  const recent = { maxRevisions: options.memoryRevisions ?? DEFAULT_MEMORY_REVISIONS, maxSize: MEMORY_SIZE }
  return new EmbeddedRevisionedStore({
    state: new CommittedState(loaded, { clock, recent }),
    history,
    clock,
    keepRevisions: options.keepRevisions ?? DEFAULT_KEEP_REVISIONS,
    onBackgroundError: options.onBackgroundError ?? warn,
  })
}

async function createPrivateFile(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    // Only ever created, never opened when it is there: closing any descriptor of the file would drop this process's lock on it.
    const created = await open(path, 'wx', 0o600)
    await created.close()
  } catch (error) {
    if (
      error instanceof Error &&
      'code' in error &&
      error.code === 'EEXIST' &&
      'syscall' in error &&
      error.syscall === 'open'
    )
      return
    throw toStoreError(error, 'create the store', path)
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error))
}
