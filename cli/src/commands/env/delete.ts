import { isAppError } from '@tributary/kit'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { cliError } from '../../errors.js'
import { parseDuration } from '../../options.js'

const POLL_MS = 200

/** `tributary env delete <name>` */
export function addEnvDelete(parent: Command, cli: Cli): void {
  parent
    .command('delete')
    .description('tear an environment down now; the next push of its branch brings it back')
    .argument('<name>')
    .option('--wait <duration>', 'return when it is gone, at most so long', parseDuration)
    .action(async (name: string, { wait }: { wait?: number }, command: Command) => {
      const client = await cli.envManager(command)
      await client.deleteEnvironment(name)
      if (wait === undefined)
        return cli.terminal.print(`${name} is being torn down; \`tributary env receipts ${name}\` shows the proof`)
      await untilGone(cli, { name, waitMs: wait, read: (signal) => client.getEnvironment(name, { signal }) })
      cli.terminal.print(`${name} is gone; \`tributary env receipts ${name}\` shows the proof`)
    })
}

interface GoneOptions {
  readonly name: string
  readonly waitMs: number
  readonly read: (signal: AbortSignal) => Promise<unknown>
}

async function untilGone({ runtime, terminal }: Cli, { name, waitMs, read }: GoneOptions): Promise<void> {
  const deadline = runtime.clock.monotonicMs() + waitMs
  while (runtime.clock.monotonicMs() < deadline) {
    try {
      await read(runtime.signal)
    } catch (error) {
      if (!isAppError(error) || error.kind !== 'not_found') throw error
      return terminal.endProgress()
    }
    terminal.progress(`${name}: terminating`)
    await runtime.clock.sleep(POLL_MS, runtime.signal)
  }
  throw cliError(
    'CLI_NOT_READY',
    `${name} is still being torn down; \`tributary runs watch ${name}\` shows what it waits for`,
  )
}
