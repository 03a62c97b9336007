import { randomBytes } from 'node:crypto'
import { chmod, mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { cliError } from '../errors.js'

/** Makes the data folder, for its owner alone, and proves that it can be written. `CLI_DATA_UNWRITABLE`. */
export async function prepareDataFolder(path: string): Promise<void> {
  const probe = join(path, `.probe-${randomBytes(6).toString('hex')}`)
  try {
    await makeFolder(path)
    await chmod(path, 0o700)
    await writeFile(probe, '')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const cause = code === 'EEXIST' ? 'it is a file' : code
    throw cliError(
      'CLI_DATA_UNWRITABLE',
      `cannot write the data folder ${path}; ${cause}; name another with --data, or give this user the right to write it`,
      error,
    )
  } finally {
    await rm(probe, { force: true }).catch(() => {})
  }
}

/** Makes a folder and those above it. Not `mkdir` with `recursive`: where nothing can be made at all, as in /proc, Node tries for ever. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolder(dirname(path))
    await mkdir(path, { mode: 0o700 })
  }
}
