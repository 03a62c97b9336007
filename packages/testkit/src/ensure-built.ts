import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The folder of the repository. */
export const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url))

/**
 * Builds a package and what it depends on, unless it is up to date, so that a test can start it as a program of its own.
 * @param folder relative to the repository, such as `packages/store`. Answers its absolute path.
 */
export async function ensureBuilt(folder: string): Promise<string> {
  const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'))
  const compiler = join(typescript, 'bin', 'tsc')
  // The compiler tells its errors on stdout, which the error of a failed command leaves out.
  await run(process.execPath, [compiler, '-b', folder], { cwd: repositoryRoot }).catch((error: { stdout?: string }) => {
    throw new Error(`could not build ${folder}: ${error.stdout ?? ''}`, { cause: error })
  })
  return join(repositoryRoot, folder)
}
