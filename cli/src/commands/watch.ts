import type { EnvManagerClient } from '@tributary/client'
import type { ChangeEvent, Environment, Run } from '@tributary/contract'
import { backoffMs, isAppError } from '@tributary/kit'
import type { Command } from 'commander'
import type { Cli } from '../context.js'
import { cliError } from '../errors.js'
import { durationOption } from '../options.js'
import { troubles } from '../output/format.js'
import { runFailure, RunProgress } from './runs/run-progress.js'

interface WatchFlags {
  readonly timeout: number
}

const RETRY = { initialMs: 200, maxMs: 5_000 }

/** `tributary watch [env]` */
export function addWatch(program: Command, cli: Cli): void {
  program
    .command('watch')
    .description(
      'show runs as they happen: of one environment until it is ready (exit 0) or failed (exit 1), or of all until Ctrl-C',
    )
    .argument('[env]', 'it need not exist yet: push its branch')
    .addOption(durationOption('--timeout <duration>', 'with an environment: give up after', '15m'))
    .action(async (env: string | undefined, flags: WatchFlags, command: Command) => {
      const client = await cli.envManager(command)
      if (env === undefined) await watchAll(cli, client)
      else await watchOne(cli, client, { name: env, ...flags })
    })
}

/** Every run's steps, each line with the environment's name. */
async function watchAll(cli: Cli, client: EnvManagerClient): Promise<void> {
  const { signal } = cli.runtime
  const progress = new RunProgress(cli, true)
  const ended = new Set(
    (await client.listRuns({ limit: 1000 }, { signal })).runs.filter(hasEnded).map(({ runId }) => runId),
  )
  cli.terminal.note('watching every environment; Ctrl-C ends it')
  for await (const change of changes(cli, client, signal)) {
    const runs =
      change === undefined
        ? (await client.listRuns({ limit: 20 }, { signal })).runs.reverse()
        : change.kind === 'run' && !change.gone
          ? [await client.getRun(change.name, { signal })]
          : []
    for (const run of runs) {
      if (ended.has(run.runId)) continue
      if (!hasEnded(run)) progress.show(run)
      else progress.end(run)
      if (hasEnded(run)) ended.add(run.runId)
    }
  }
}

/** One environment's run that is under way, or the next one; until it has settled. */
async function watchOne(
  cli: Cli,
  client: EnvManagerClient,
  target: WatchFlags & { readonly name: string },
): Promise<void> {
  const { name } = target
  const late = AbortSignal.timeout(target.timeout)
  const signal = AbortSignal.any([cli.runtime.signal, late])
  const progress = new RunProgress(cli)
  const shown = new Set<string>()
  let seen: Run | undefined
  for await (const change of changes(cli, client, signal)) {
    if (change !== undefined && !concerns(change, name)) continue
    const environment = await find(() => client.getEnvironment(name, { signal }))
    const runId = environment?.currentRunId ?? (seen === undefined ? undefined : environment?.lastRunId)
    if (environment === undefined && seen === undefined) cli.terminal.progress(`${name}: waiting for a push`)
    if (runId) {
      seen = await client.getRun(runId, { signal })
      if (!hasEnded(seen)) progress.show(seen)
      else if (!shown.has(runId)) progress.end(seen)
      if (hasEnded(seen)) shown.add(runId)
    }
    if (environment === undefined ? seen !== undefined : isSettled(environment, seen)) {
      return conclude(cli, { name, environment, run: seen })
    }
    if (environment !== undefined && runId === undefined)
      cli.terminal.progress(`${name}: ${environment.phase}, waiting for a push`)
  }
  if (late.aborted && !cli.runtime.signal.aborted) {
    cli.terminal.endProgress()
    throw cliError(
      'CLI_NOT_READY',
      `${name} did not settle in time; \`tributary plan ${name}\` shows what is left to do`,
    )
  }
}

function conclude(
  cli: Cli,
  {
    name,
    environment,
    run,
  }: { readonly name: string; readonly environment: Environment | undefined; readonly run: Run | undefined },
): void {
  const { terminal } = cli
  terminal.endProgress()
  if (environment === undefined)
    return terminal.print(`${name} is gone; \`tributary env receipts ${name}\` shows the proof`)
  if (environment.phase === 'ready')
    return terminal.print(`${name} is ready: ${environment.url ?? 'it has no address'}`)
  if (environment.phase === 'asleep')
    return terminal.print(`${name} is asleep; \`tributary env wake ${name}\` wakes it`)
  if (run !== undefined && run.state !== 'succeeded') throw runFailure(run)
  const cause = troubles(environment.conditions)[0] ?? `it is ${environment.phase}`
  throw cliError(
    'CLI_ENVIRONMENT_FAILED',
    `${name} is ${environment.phase}; ${cause}; see \`tributary env show ${name}\``,
  )
}

/** Nothing is under way any more, and a run was seen that says how it ended. */
function isSettled({ currentRunId, phase }: Environment, seen: Run | undefined): boolean {
  if (currentRunId !== null || seen === undefined || !hasEnded(seen)) return false
  return ['ready', 'asleep', 'failed', 'degraded'].includes(phase) && seen.state !== 'superseded'
}

function concerns(change: ChangeEvent, name: string): boolean {
  return (
    (change.kind === 'environment' && change.name === name) || (change.kind === 'run' && change.environment === name)
  )
}

function hasEnded({ state }: Run): boolean {
  return state !== 'running'
}

async function find<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (isAppError(error) && error.kind === 'not_found') return undefined
    throw error
  }
}

/** The event stream, begun again whenever it is cut off, until the signal aborts. Undefined: look at everything again. */
async function* changes(
  { runtime, terminal }: Cli,
  client: EnvManagerClient,
  signal: AbortSignal,
): AsyncIterable<ChangeEvent | undefined> {
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      for await (const change of client.watchEvents(signal)) {
        failures = 0
        yield change
      }
    } catch (error) {
      if (!isAppError(error) || !error.retryable) throw error
      terminal.progress('the env-manager does not answer; trying again')
    }
    if (!signal.aborted)
      await runtime.clock.sleep(backoffMs(Math.max(1, failures), RETRY), signal).catch(() => undefined)
  }
}
