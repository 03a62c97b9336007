import { AppError } from '@tributary/kit'
import { failure } from '../../errors.js'

/** Maps what the file system or `spawn` threw. `action` reads after "could not", e.g. `write the state of shop`. */
export function localFailure(action: string, cause: unknown): AppError {
  if (cause instanceof AppError) return cause
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return failure('PLATFORM_DISK_FULL', `could not ${action}: the disk is full; free some space`, { cause })
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EEXIST') {
    return failure(
      'PLATFORM_DATA_UNWRITABLE',
      `could not ${action} (${code}); check the owner and permissions of the data folder`,
      { cause },
    )
  }
  const why = code ?? (cause instanceof Error ? cause.message : String(cause))
  return failure('PLATFORM_UNAVAILABLE', `could not ${action} (${why})`, { cause })
}

/** Runs `work` and maps what it throws with {@link localFailure}. */
export async function mapping<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw localFailure(action, error)
  }
}
