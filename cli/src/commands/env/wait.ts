import type { EnvManagerClient } from '@tributary/client'
import type { Environment, Run } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { cliError } from '../../errors.js'
import { durationOption, jsonOption } from '../../options.js'
import { troubles } from '../../output/format.js'
import { printEnvironment } from './show.js'

const POLL_MS = 200
const WAKERS = 'only a push, a request to its address or a command wakes it'

interface WaitFlags {
  readonly timeout: number
  readonly commit?: string
  readonly json?: true
}

/** `tributary env wait <name>` */
export function addEnvWait(parent: Command, cli: Cli): void {
  jsonOption(
    parent
      .command('wait')
      .description('return when the environment is ready: exit 0; 1 when its deploy failed, 7 when time is up')
      .argument('<name>', 'it need not exist yet')
      .addOption(durationOption('--timeout <duration>', 'give up after', '5m'))
      .option('--commit <sha>', 'wait for this commit: use it right after a push'),
  ).action(async (name: string, flags: WaitFlags, command: Command) => {
    const environment = await waitUntilReady(cli, await cli.envManager(command), { name, ...flags })
    cli.terminal.endProgress()
    if (flags.json) cli.terminal.printJson(environment)
    else printEnvironment(cli, environment)
  })
}

type WaitTarget = WaitFlags & { readonly name: string }

async function waitUntilReady(cli: Cli, client: EnvManagerClient, target: WaitTarget): Promise<Environment> {
  const { clock, signal } = cli.runtime
  const deadline = clock.monotonicMs() + target.timeout
  for (;;) {
    const environment = await findEnvironment(client, target.name, signal)
    const concerned = environment !== undefined && hasCommit(environment, target.commit) ? environment : undefined
    if (concerned?.phase === 'ready') return concerned
    if (concerned !== undefined) failWhenFailed(concerned)
    if (clock.monotonicMs() >= deadline) throw notReady(target, environment)
    cli.terminal.progress(await progressText(client, target.name, { environment: concerned, signal }))
    await clock.sleep(POLL_MS, signal)
  }
}

async function findEnvironment(
  client: EnvManagerClient,
  name: string,
  signal: AbortSignal,
): Promise<Environment | undefined> {
  try {
    return await client.getEnvironment(name, { signal })
  } catch (error) {
    if (isAppError(error) && error.kind === 'not_found') return undefined
    throw error
  }
}

function hasCommit({ repositories }: Environment, commit: string | undefined): boolean {
  return commit === undefined || repositories.some(({ commitSha }) => commitSha.startsWith(commit.toLowerCase()))
}

/** A run that is under way may still make it good. */
function failWhenFailed(environment: Environment): void {
  const { name, phase, currentRunId, lastRunId } = environment
  if (currentRunId !== null || (phase !== 'failed' && phase !== 'degraded')) return
  const cause = troubles(environment.conditions)[0] ?? `it is ${phase}`
  throw cliError(
    'CLI_ENVIRONMENT_FAILED',
    `${name} is ${phase}; ${cause}; see \`tributary runs logs ${lastRunId ?? name}\``,
  )
}

function notReady({ name, commit }: WaitTarget, environment: Environment | undefined): Error {
  const state =
    environment === undefined
      ? 'there is no such environment; has the branch been pushed, and is its repository configured (`tributary status`)?'
      : hasCommit(environment, commit)
        ? stateText(environment)
        : `its commit ${commit ?? ''} has not been seen; has it been pushed?`
  return cliError('CLI_NOT_READY', `${name} was not ready in time; ${state}`)
}

function stateText({ name, phase }: Environment): string {
  if (phase === 'asleep') return `it is asleep; ${WAKERS}: \`tributary env wake ${name}\``
  return `it is ${phase}; \`tributary plan ${name}\` shows what is left to do`
}

async function progressText(
  client: EnvManagerClient,
  name: string,
  { environment, signal }: { environment: Environment | undefined; signal: AbortSignal },
): Promise<string> {
  if (environment === undefined) return `${name}: waiting for the push`
  const { phase, currentRunId } = environment
  if (currentRunId === null) return `${name}: ${phase}${phase === 'asleep' ? `; ${WAKERS}` : ''}`
  return `${name}: ${phase}, ${currentStep(await client.getRun(currentRunId, { signal }))}`
}

function currentStep({ steps }: Run): string {
  const step = steps.find(({ state }) => state === 'running') ?? steps.find(({ state }) => state === 'pending')
  if (step === undefined) return 'finishing'
  return step.service === undefined ? step.name : `${step.name} ${step.service}`
}
