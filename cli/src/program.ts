import { Command, CommanderError, type Argument } from 'commander'
import { addApprove } from './commands/approve.js'
import { addAudit } from './commands/audit.js'
import { addCompletion } from './commands/completion.js'
import { addConfig } from './commands/config/config.js'
import { addDeploy } from './commands/deploy.js'
import { addDoctor } from './commands/doctor/doctor.js'
import { addEntries } from './commands/entries/entries.js'
import { addEnv } from './commands/env/env.js'
import { addEnvExplain } from './commands/env/explain.js'
import { addExec } from './commands/exec.js'
import { addHint } from './commands/hint.js'
import { addInit } from './commands/init.js'
import { addPlan } from './commands/plan.js'
import { addProbe } from './commands/probe.js'
import { addProxy } from './commands/proxy.js'
import { addRuns } from './commands/runs/runs.js'
import { addStatus } from './commands/status.js'
import { addStore } from './commands/store/store.js'
import { addTokens } from './commands/tokens/tokens.js'
import { addTopology } from './commands/topology.js'
import { addUp } from './commands/up.js'
import { addVersion } from './commands/version.js'
import { addWatch } from './commands/watch.js'
import { addConnectionOptions, createCli, type Cli } from './context.js'
import { EXIT_CODE_MEANINGS, EXIT_CODES, errorLine, exitCodeOf } from './errors.js'
import { applyOutputFormat } from './options.js'
import { harmless } from './output/harmless.js'
import { helpNote, helpWidthOf } from './output/help-text.js'
import { styleFor } from './output/style.js'
import type { CliRuntime } from './runtime.js'
import { CLI_VERSION } from './version.js'

const EXAMPLES = `Examples:
  $ tributary up                   start everything on this machine
  $ tributary topology feature-x   who answers each call, and why
  $ tributary env wait feature-x && tributary env show feature-x
  $ tributary config set feature-x orders pageSize=50 --wait 5s
  $ tributary exec --tenant feature-x --service orders -- ./orders

Exit status:
${EXIT_CODE_MEANINGS.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`).join('\n')}`

/** Builds the whole command tree. It prints through `cli` and never ends the process. */
export function buildProgram(cli: Cli): Command {
  const { stdout, stderr } = cli.runtime
  const program = new Command('tributary')
    .description('A preview environment for every feature branch, without copying the system.')
    .exitOverride()
    .configureHelp({ minWidthToWrap: 20, subcommandTerm: commandTerm })
    .configureOutput({
      writeOut: stdout.write,
      writeErr: stderr.write,
      getOutHelpWidth: () => helpWidthOf(stdout),
      getErrHelpWidth: () => helpWidthOf(stderr),
    })
    .showHelpAfterError('(add --help to see what it takes)')
    .version(CLI_VERSION)
    .addHelpText('after', helpNote(EXAMPLES))
  addConnectionOptions(program)
  program.hook('preAction', async (_program, action) => {
    if (applyOutputFormat(action) === 'yaml') await cli.terminal.useYaml()
  })
  for (const add of [addInit, addUp, addStatus, addEnv, addTopology, addWatch, addProbe, addPlan, addDeploy, addRuns])
    add(program, cli)
  addConfig(program, cli)
  for (const add of [addEntries, addEnvExplain, addExec, addProxy, addTokens, addHint, addApprove, addAudit, addStore])
    add(program, cli)
  for (const add of [addVersion, addCompletion]) add(program, cli)
  addDoctor(program, cli)
  return program
}

function commandTerm(command: Command): string {
  return [command.name(), ...command.registeredArguments.map(humanReadableArgName)].join(' ')
}

function humanReadableArgName(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`
  return argument.required ? `<${name}>` : `[${name}]`
}

/** Runs one command line (without node and script) and answers its exit status. An error is one line on stderr. */
export async function runCli(args: readonly string[], runtime: CliRuntime): Promise<number> {
  let status: number = EXIT_CODES.ok
  const cli = createCli(runtime, (value) => (status = value))
  try {
    await buildProgram(cli).parseAsync([...args], { from: 'user' })
    return status
  } catch (error) {
    cli.terminal.endProgress()
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage
    if (runtime.signal.aborted) return EXIT_CODES.interrupted
    reportError(error, { runtime, debug: args.includes('--debug') })
    return exitCodeOf(error)
  }
}

function reportError(error: unknown, { runtime, debug }: { runtime: CliRuntime; debug: boolean }): void {
  // The message may repeat what a branch or a service says.
  const line = harmless(errorLine(error), { colours: false })
  runtime.stderr.write(`${line.replace(/^error:/, styleFor(runtime.stderr, runtime.env)('bad', 'error:'))}\n`)
  if (debug && error instanceof Error) runtime.stderr.write(`${harmless(error.stack ?? '', { colours: false })}\n`)
}
