import type { Run, RunState, RunStep } from '@tributary/contract'
import { AppError } from '@tributary/kit'
import type { Mutation } from '@tributary/store'
import type { EnvironmentRecord } from '../domain/environment-record.js'
import { messageOf, type EnvironmentDependencies } from './dependencies.js'
import { updateEnvironment } from './state/environments.js'
import { putJson } from './state/json-store.js'
import { stateKeys } from './state/keys.js'
import { newRunId, pruneRuns } from './state/runs.js'
import { errorWithoutSecrets, withoutSecrets } from './without-secrets.js'

/** What a run is begun with. */
export interface RunStart {
  readonly kind: Run['kind']
  readonly trigger: string
  readonly commits: Run['commits']
  /** The steps to come, so that people see what is still to be done. */
  readonly steps: readonly { readonly name: string; readonly service?: string }[]
  /** Values that must never stand in the log. */
  readonly secrets: () => readonly string[]
  /** What changes in the environment's record with the begin of the run, in the same transaction. */
  readonly change?: (record: EnvironmentRecord) => EnvironmentRecord
}

/** Identifies a step of a run. */
export interface StepRef {
  readonly name: string
  readonly service?: string
}

type RecorderDependencies = Pick<EnvironmentDependencies, 'store' | 'runLogs' | 'clock' | 'log' | 'observer'>

/**
 * Writes a run as it happens: its steps into the store, its lines into its log. One writer for each run. No step waits for the store: what happens while a write is under way is
 * in the next one. Nothing depends on it but those who watch: what must not be lost is in the ledger. A store that refuses ends the run at its next step.
 */
export class RunRecorder {
  #run: Run
  #writing: Promise<void> | undefined
  #isStale = false
  #refusal: { readonly error: unknown } | undefined

  private constructor(
    private readonly deps: RecorderDependencies,
    run: Run,
    private readonly secrets: () => readonly string[],
  ) {
    this.#run = run
  }

  /** Begins a run of an environment: its record names it as the current one in the same transaction. */
  static async begin(deps: RecorderDependencies, record: EnvironmentRecord, start: RunStart): Promise<RunRecorder> {
    const now = deps.clock.now()
    const run: Run = {
      runId: newRunId(now),
      environment: record.name,
      generation: record.generation,
      kind: start.kind,
      state: 'running',
      trigger: start.trigger,
      commits: start.commits,
      startedAt: new Date(now).toISOString(),
      finishedAt: null,
      steps: start.steps.map((step) => ({
        ...step,
        state: 'pending',
        startedAt: null,
        finishedAt: null,
        message: null,
      })),
      error: null,
    }
    deps.runLogs.open(run.runId)
    await updateEnvironment(deps.store, record.name, (current) => ({
      record: { ...(start.change?.(current) ?? current), currentRunId: run.runId },
      alongside: {
        mutations: [putJson(stateKeys.run(run.runId), run), putJson(stateKeys.runOf(record.name, run.runId), {})],
      },
    }))
    return new RunRecorder(deps, run, start.secrets)
  }

  /** The run as it stands. */
  get run(): Run {
    return this.#run
  }

  /** Does one step. Its failure is recorded and thrown on, without secrets. A step that was not announced is added at the end. */
  async step<T>(ref: StepRef, work: (log: (text: string) => void) => Promise<T>): Promise<T> {
    if (this.#refusal !== undefined) throw this.#refusal.error
    const log = this.logOf(ref)
    this.#change(ref, { state: 'running', startedAt: this.#now() })
    try {
      const result = await work(log)
      this.#change(ref, { state: 'succeeded', finishedAt: this.#now() })
      return result
    } catch (thrown) {
      const error = errorWithoutSecrets(thrown, this.secrets())
      const message = messageOf(error)
      log(`failed: ${message}`)
      this.#change(ref, { state: 'failed', finishedAt: this.#now(), message: firstLine(message) })
      throw error
    }
  }

  /** A function that writes lines of a step into the run's log. */
  logOf(ref: StepRef): (text: string) => void {
    const source = ref.service === undefined ? ref.name : `${ref.name} ${ref.service}`
    return (text) => {
      for (const line of withoutSecrets(text, this.secrets()).split('\n')) {
        this.deps.runLogs.append(this.#run.runId, { at: this.#now(), source, text: line })
      }
    }
  }

  /** The run with its end, once no earlier write is under way: to be written by the caller's own transaction. Steps that were not reached are `skipped`. */
  async ended(state: RunState, error: unknown): Promise<Run> {
    await this.#writing
    const steps = this.#run.steps.map((step): RunStep =>
      step.state === 'pending' ? { ...step, state: 'skipped' } : step,
    )
    this.#run = {
      ...this.#run,
      state,
      steps,
      finishedAt: this.#now(),
      error: error === undefined ? null : this.#errorOf(error),
    }
    this.deps.observer?.noteRun(this.#run)
    return this.#run
  }

  /** The mutations that write the run. */
  mutations(): readonly Mutation[] {
    return [putJson(stateKeys.run(this.#run.runId), this.#run)]
  }

  /** Ends the log and forgets what is too old. */
  async close(): Promise<void> {
    await this.#writing
    await this.deps.runLogs.close(this.#run.runId)
    for (const runId of await pruneRuns(this.deps.store, this.#run.environment)) await this.deps.runLogs.remove(runId)
  }

  #change(ref: StepRef, change: Partial<RunStep>): void {
    const same = (step: RunStep): boolean => step.name === ref.name && step.service === ref.service
    const known = this.#run.steps.some(same)
    const blank: RunStep = { ...ref, state: 'pending', startedAt: null, finishedAt: null, message: null }
    const steps = known ? this.#run.steps : [...this.#run.steps, blank]
    this.#run = { ...this.#run, steps: steps.map((step) => (same(step) ? { ...step, ...change } : step)) }
    this.#isStale = true
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
    })
  }

  /** Steps run side by side; the run is one key, so its writes go one after the other. */
  async #write(): Promise<void> {
    try {
      while (this.#isStale) {
        this.#isStale = false
        await this.deps.store.transact({ compares: [], mutations: this.mutations() })
      }
    } catch (error) {
      this.#refusal ??= { error }
    }
  }

  #errorOf(error: unknown): { readonly code: string; readonly message: string } {
    return {
      code: error instanceof AppError ? error.code : 'INTERNAL',
      message: withoutSecrets(messageOf(error), this.secrets()),
    }
  }

  #now(): string {
    return new Date(this.deps.clock.now()).toISOString()
  }
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').slice(0, 1000)
}
