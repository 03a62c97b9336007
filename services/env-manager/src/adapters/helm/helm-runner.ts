import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import PQueue from 'p-queue'
import type { AppError } from '@tributary/kit'
import { yamlSafeJson } from '../../domain/chart-manifest.js'
import { failure } from '../../errors.js'
import type { ChartReleaseContext } from '../../ports/chart-releases.js'
import { runBounded, type CommandOutcome } from '../bounded-command.js'
import { helmEnvironment, helmFolder, type HelmEnvironmentOptions } from './helm-environment.js'
import { helmFailure, helmSpawnFailure, type HelmOutcome } from './helm-errors.js'
import { helmMajorOf, type HelmMajor } from './helm-version.js'
import { endStrayCommands } from './stray-commands.js'

/** One helm command. */
export interface HelmCall {
  /** Reads after "could not". */
  readonly action: string
  readonly args: readonly string[]
  /** Written to stdin as JSON. */
  readonly values?: Readonly<Record<string, unknown>>
  /** `none` for a command that works on a chart alone. */
  readonly cluster?: 'none'
  readonly otherwise?: HelmOutcome['otherwise']
  readonly timeoutMs?: number
}

/** Which helm is run, how, and how many of it at once. */
export interface HelmRunnerOptions extends Omit<HelmEnvironmentOptions, 'cluster'> {
  readonly cluster: HelmEnvironmentOptions['cluster']
  /** Program or path. Default `helm`, as found on PATH. */
  readonly helm?: string | undefined
  /** Default 3: a command takes some 50 MB and half a core. */
  readonly concurrency?: number | undefined
}

const DEFAULT_TIMEOUT_MS = 60_000
const MAX_OUTPUT_BYTES = 32 * 1024 * 1024
/** Helm marks a release as failed when it is asked to end, which takes a few requests. */
const KILL_AFTER_MS = 10_000

/** Runs helm commands, a few at a time, from a folder of its own. */
export class HelmRunner {
  private readonly queue: PQueue
  private prepared: Promise<HelmMajor> | undefined

  constructor(private readonly options: HelmRunnerOptions) {
    this.queue = new PQueue({ concurrency: options.concurrency ?? 3 })
  }

  /** A folder for charts that are made for one command; empty at first. */
  get workFolder(): string {
    return join(this.options.home, 'work')
  }

  /**
   * Ends what an earlier manager left running, makes the folders and asks helm for its version: once, and again after a failure.
   * @throws AppError `HELM_NOT_INSTALLED`
   */
  major(): Promise<HelmMajor> {
    this.prepared ??= this.prepare().catch((error: unknown) => {
      this.prepared = undefined
      throw error
    })
    return this.prepared
  }

  /** Runs a command to its end. Answers what it printed. Rejects with `AppError`. */
  async run(call: HelmCall, context: ChartReleaseContext): Promise<string> {
    const { failed, stdout } = await this.attempt(call, context)
    if (failed === undefined) return stdout
    throw failed.error
  }

  /** As {@link run}, for a caller that goes on from some failures. Rejects when the command was stopped or did not start. */
  async attempt(call: HelmCall, context: ChartReleaseContext): Promise<HelmAttempt> {
    await this.major()
    const outcome = await this.queue.add(() => {
      if (context.signal.aborted) throw stopFailure(call, 'canceled', context.signal)
      return this.execute(call, context.signal)
    })
    if (outcome.stopped !== undefined) throw stopFailure(call, outcome.stopped, context.signal)
    const stdout = outcome.stdout.toString('utf8')
    if (outcome.exitCode === 0) return { stdout }
    const { stderr } = outcome
    const error = helmFailure({ action: call.action, stderr, otherwise: call.otherwise ?? 'HELM_FAILED' })
    return { stdout, failed: { stderr, error } }
  }

  private async prepare(): Promise<HelmMajor> {
    await endStrayCommands(`HELM_CACHE_HOME=${this.environment('none')['HELM_CACHE_HOME']}`)
    await rm(this.workFolder, { recursive: true, force: true })
    await mkdir(this.workFolder, { recursive: true, mode: 0o700 })
    await mkdir(helmFolder(this.options.home), { recursive: true, mode: 0o700 })
    const call = {
      action: 'ask helm for its version',
      args: ['version', '--template={{.Version}}'],
      cluster: 'none',
    } as const
    const { stdout, exitCode } = await this.execute(call, undefined)
    return helmMajorOf(exitCode === 0 ? stdout.toString('utf8') : '')
  }

  private execute(call: HelmCall, signal: AbortSignal | undefined): Promise<CommandOutcome> {
    return runBounded({
      file: this.options.helm ?? 'helm',
      args: call.args,
      cwd: helmFolder(this.options.home),
      environment: this.environment(call.cluster ?? this.options.cluster),
      input: call.values === undefined ? undefined : yamlSafeJson(call.values),
      signal,
      timeoutMs: call.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      killAfterMs: KILL_AFTER_MS,
      maxOutputBytes: MAX_OUTPUT_BYTES,
    }).catch((error: Error) => {
      throw helmSpawnFailure(call.action, error)
    })
  }

  private environment(cluster: HelmEnvironmentOptions['cluster']): Record<string, string> {
    const { host, home, registryConfig } = this.options
    return helmEnvironment({ host, home, registryConfig, cluster })
  }
}

/** How a command ended. */
export interface HelmAttempt {
  readonly stdout: string
  readonly failed?: { readonly stderr: string; readonly error: AppError }
}

function stopFailure(call: HelmCall, reason: CommandOutcome['stopped'], signal: AbortSignal): AppError {
  if (reason === 'canceled')
    return failure('HELM_CANCELED', `stopped while trying to ${call.action}: it is no longer wanted`, {
      cause: signal.reason,
    })
  if (reason === 'timeout') {
    const seconds = Math.round((call.timeoutMs ?? DEFAULT_TIMEOUT_MS) / 1000)
    return failure('HELM_TIMEOUT', `could not ${call.action}: helm was stopped after ${seconds} s; it is tried again`)
  }
  return failure(
    'CHART_INVALID',
    `could not ${call.action}: it makes more than ${MAX_OUTPUT_BYTES / 2 ** 20} MiB of objects`,
  )
}
