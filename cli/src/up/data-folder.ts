import { randomBytes } from 'node:crypto'
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cliError } from '../errors.js'

/** Makes the data folder, for its owner alone, and proves that it can be written. `CLI_DATA_UNWRITABLE`. */
export async function prepareDataFolder(path: string): Promise<void> {
  const probe = join(path, `.probe-${randomBytes(6).toString('hex')}`)
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    await chmod(path, 0o700)
    await writeFile(probe, '')
  } catch (error) {
    const cause = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw cliError(
      'CLI_DATA_UNWRITABLE',
      `cannot write the data folder ${path}; ${cause}; name another with --data, or give this user the right to write it`,
      error,
    )
  } finally {
    await rm(probe, { force: true }).catch(() => {})
  }
}
