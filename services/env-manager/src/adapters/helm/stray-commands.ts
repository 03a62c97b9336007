import { readdir, readFile } from 'node:fs/promises'
import { failure } from '../../errors.js'

const ROUNDS = 500
const ROUND_MS = 10

/**
 * Ends helm commands that an earlier manager with the same folder left running when it was killed: they could go on with a release that is recovered here. They
 * are known by `marker`, a variable of their environment. Resolves when none runs any more. Does nothing where there is no /proc: a
 * command then ends by itself after its timeout.
 * @throws AppError `HELM_FAILED` when one cannot be ended.
 */
export async function endStrayCommands(marker: string): Promise<number> {
  let ended = 0
  for (let round = 0; round < ROUNDS; round += 1) {
    const strays = await processesWith(marker)
    if (strays.length === 0) return ended
    for (const pid of strays) {
      try {
        process.kill(pid, 'SIGKILL')
        ended += 1
      } catch {
        // It has ended by itself.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, ROUND_MS))
  }
  throw failure('HELM_FAILED', 'could not end a helm command of an earlier manager; end it by hand')
}

async function processesWith(marker: string): Promise<number[]> {
  const entries = await readdir('/proc').catch(() => [])
  const pids = entries.filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
  const found = await Promise.all(
    pids.map(async (pid) => {
      // Empty for a process that has ended but was not waited for, unreadable for another user's.
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
      return environment.split('\0').includes(marker) ? [Number(pid)] : []
    }),
  )
  return found.flat()
}
