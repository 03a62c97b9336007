import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { jsonOption, parseCount } from '../../options.js'
import { clockTime } from '../runs/log-text.js'

interface LogsFlags {
  readonly follow?: true
  readonly tail: number
  readonly json?: true
}

/** `tributary env logs <name> <service>` */
export function addEnvLogs(parent: Command, cli: Cli): void {
  jsonOption(
    parent
      .command('logs')
      .description('what a service of the environment printed')
      .argument('<name>')
      .argument('<service>')
      .option('-f, --follow', 'go on with new lines until Ctrl-C')
      .option('--tail <lines>', 'how many old lines', parseCount(0), 100),
  ).action(async (...call: [string, string, LogsFlags, Command]) => {
    const [name, service, flags, command] = call
    const client = await cli.envManager(command)
    const query = { service, tailLines: flags.tail, follow: flags.follow ?? false }
    for await (const line of client.readLogs(name, query, cli.runtime.signal)) {
      cli.terminal.print(
        flags.json ? JSON.stringify(line) : `${cli.terminal.style('quiet', clockTime(line.at))} ${line.text}`,
      )
    }
  })
}
