import { Option, type Command } from 'commander'
import { constants } from 'node:os'
import { resolve } from 'node:path'
import { resolveConnection, type Cli } from '../context.js'
import { badValue } from '../errors.js'
import type { ChangeAction } from '../exec/run-program.js'
import { durationOption } from '../options.js'
import { helpNote } from '../output/help-text.js'

interface ExecFlags {
  readonly tenant?: string
  readonly service?: string
  readonly call?: readonly string[]
  readonly restart?: true
  readonly signal?: NodeJS.Signals
  readonly once?: true
  readonly envPrefix: string
  readonly configFile?: string
  readonly debounce: number
  readonly grace: number
}

const HELP = `
CMD gets its config as variables: pageSize is CONFIG_PAGE_SIZE, limits.perUser is CONFIG_LIMITS_PER_USER, an array is JSON,
null is not set; and the address of each service it can call: ORDERS_URL. No shell is involved. Signals are forwarded, the
exit status is that of CMD, and nothing that CMD started outlives it.`

/** `tributary exec -- CMD…` */
export function addExec(program: Command, cli: Cli): void {
  program
    .command('exec')
    .description('run any program with its resolved config, and restart or signal it on change')
    .usage('[options] -- CMD [ARG...]')
    .argument('<command...>', 'the program and its arguments, after --')
    .option('--tenant <tenant>', 'whose view (default: TRIBUTARY_TENANT)')
    .option('--service <service>', 'whose config document (default: TRIBUTARY_SERVICE)')
    .option(
      '--call <services>',
      'only these addresses, with commas (default: every service that the tenant sees)',
      parseNames,
    )
    .addOption(
      new Option('--restart', 'on change: end CMD and start it again (this is the default)').conflicts([
        'signal',
        'once',
      ]),
    )
    .addOption(
      new Option('--signal <name>', 'on change: send this signal, e.g. SIGHUP')
        .argParser(parseSignal)
        .conflicts(['once']),
    )
    .option('--once', 'on change: do nothing')
    .option('--env-prefix <prefix>', 'start of the names of config variables', 'CONFIG_')
    .option('--config-file <path>', 'write the config there too, as JSON that only the owner can read')
    .addOption(durationOption('--debounce <duration>', 'changes closer together count as one', '200ms'))
    .addOption(durationOption('--grace <duration>', 'how long CMD may take to end before it is killed', '10s'))
    .addHelpText('after', helpNote(HELP))
    .action((command: string[], flags: ExecFlags, self: Command) => execute(cli, { command, flags, self }))
}

interface ExecCall {
  readonly command: readonly string[]
  readonly flags: ExecFlags
  readonly self: Command
}

async function execute(cli: Cli, { command: [command, ...args], flags, self }: ExecCall): Promise<void> {
  const { runtime, terminal } = cli
  const connection = await resolveConnection(runtime, self.optsWithGlobals())
  const [{ openConfigSource }, { runProgram }] = await Promise.all([
    import('../exec/config-source.js'),
    import('../exec/run-program.js'),
  ])
  const opened = await openConfigSource(runtime, {
    ...connection,
    tenant: flags.tenant,
    service: flags.service,
    calls: flags.call,
  })
  try {
    const status = await runProgram({
      runtime,
      source: opened.source,
      command: command ?? '',
      args,
      envPrefix: flags.envPrefix,
      configFile: flags.configFile === undefined ? undefined : resolve(runtime.cwd, flags.configFile),
      onChange: changeAction(flags),
      debounceMs: flags.debounce,
      graceMs: flags.grace,
      note: (text) => terminal.note(`tributary: ${text}`),
    })
    cli.exitWith(status)
  } finally {
    await opened.close()
  }
}

function changeAction({ once, signal }: ExecFlags): ChangeAction {
  return once ? 'nothing' : (signal ?? 'restart')
}

function parseNames(text: string): readonly string[] {
  return text.split(',').filter((name) => name !== '')
}

function parseSignal(text: string): NodeJS.Signals {
  const name = text.toUpperCase().replace(/^(?!SIG)/, 'SIG')
  if (!isSignal(name)) throw badValue(`${JSON.stringify(text)} is not a signal; write it like SIGHUP`)
  return name
}

function isSignal(name: string): name is NodeJS.Signals {
  return Object.hasOwn(constants.signals, name)
}
