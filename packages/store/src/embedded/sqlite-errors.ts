import { AppError } from '@tributary/kit'
import { storeError, type StoreErrorCode } from '../errors.js'

interface SqliteFailure {
  readonly code: StoreErrorCode
  readonly advice: string
}

/** SQLite result code (extended codes match by their start) -> our code and what to do. */
const FAILURES: readonly (readonly [string, SqliteFailure])[] = [
  [
    'SQLITE_FULL',
    { code: 'STORE_FULL', advice: 'the disk or the quota is full; free space, or compact, and write again' },
  ],
  [
    'SQLITE_BUSY',
    { code: 'STORE_LOCKED', advice: 'another process has it open; stop that process, or name another file' },
  ],
  [
    'SQLITE_LOCKED',
    { code: 'STORE_LOCKED', advice: 'another process has it open; stop that process, or name another file' },
  ],
  ['SQLITE_CORRUPT', { code: 'STORE_CORRUPT', advice: 'the file is damaged; restore a backup, or move it away' }],
  ['SQLITE_NOTADB', { code: 'STORE_CORRUPT', advice: 'the file is no store; restore a backup, or move it away' }],
  [
    'SQLITE_READONLY',
    { code: 'STORE_NOT_WRITABLE', advice: 'let this user write the file and its folder, or name another file' },
  ],
  [
    'SQLITE_CANTOPEN',
    { code: 'STORE_NOT_WRITABLE', advice: 'let this user write the file and its folder, or name another file' },
  ],
  [
    'SQLITE_PERM',
    { code: 'STORE_NOT_WRITABLE', advice: 'let this user write the file and its folder, or name another file' },
  ],
]

const OTHERWISE: SqliteFailure = { code: 'STORE_UNAVAILABLE', advice: 'see the cause; the call can be repeated' }

/** File system codes of `mkdir` and `open` that mean "not this user, not here". */
const NOT_WRITABLE_CODES = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ENOENT', 'EEXIST'])

/** Maps whatever SQLite or the file system threw while `attempt` ran on the file at `path`. An AppError passes unchanged. */
export function toStoreError(error: unknown, attempt: string, path: string): AppError {
  if (error instanceof AppError) return error
  const { code, advice } = classify(error)
  const reason = error instanceof Error ? error.message : String(error)
  return storeError(code, `could not ${attempt} ${path}: ${advice} (${reason})`, { cause: error })
}

function classify(error: unknown): SqliteFailure {
  const code = errorCode(error)
  const known = FAILURES.find(([start]) => code.startsWith(start))
  if (known !== undefined) return known[1]
  if (code === 'ENOSPC') return { code: 'STORE_FULL', advice: 'the disk is full; free space and try again' }
  if (NOT_WRITABLE_CODES.has(code)) {
    return { code: 'STORE_NOT_WRITABLE', advice: 'let this user write the folder, or name another file' }
  }
  return OTHERWISE
}

function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}
