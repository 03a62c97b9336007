import { accessSync, constants } from 'node:fs'
import { delimiter, resolve } from 'node:path'
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
  const isMissing = !isInstalled(program.command)
  const missing = `${program.command} is not installed: apt-get install -y --no-install-recommends ${program.debianPackage}`
  describe.skipIf(isMissing && process.env['CI'] !== 'true')(`${name}${isMissing ? ` (${missing})` : ''}`, () => {
    beforeAll(() => {
      if (isMissing) throw new Error(missing)
    })
    declare()
  })
}

/** By looking only: some servers have no option that does not start them. */
function isInstalled(command: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.some((folder) => {
    try {
      accessSync(resolve(folder, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
