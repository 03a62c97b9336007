import { createProcessTable } from './process-table.js'

/**
 * Kills at once every process of an installation on this machine, and answers how many there were. For the end of a manager that is
 * forced: nobody waits, and nothing is recorded. Processes that ended meanwhile are not an error.
 */
export async function killInstance(instance: string): Promise<number> {
  const entries = await createProcessTable().list()
  const ours = entries.filter(({ marker }) => marker?.startsWith(`${instance}/`))
  for (const { pid } of ours) killQuietly(pid)
  return ours.length
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
