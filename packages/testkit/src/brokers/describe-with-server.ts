import { spawnSync } from 'node:child_process'
import { beforeAll, describe } from 'vitest'

/** A program that tests start. */
export interface ServerProgram {
  /** Found on the PATH, or absolute. */
  readonly command: string
  readonly debianPackage: string
}

/**
 * Declares tests that need a real server. Where its program is missing they are skipped, with what to install in their name; with `CI=true`
 * they fail.
 */
export function describeWithServer(name: string, program: ServerProgram, declare: () => void): void {
  const { error } = spawnSync(program.command, ['--version'], { stdio: 'ignore', timeout: 10_000 })
  const isMissing = error !== undefined && 'code' in error && error.code === 'ENOENT'
  const missing = `${program.command} is not installed: apt-get install -y --no-install-recommends ${program.debianPackage}`
  describe.skipIf(isMissing && process.env['CI'] !== 'true')(`${name}${isMissing ? ` (${missing})` : ''}`, () => {
    beforeAll(() => {
      if (isMissing) throw new Error(missing)
    })
    declare()
  })
}
