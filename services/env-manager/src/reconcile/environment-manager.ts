import type { EnvironmentRecord } from '../domain/environment-record.js'
import { messageOf, type EnvironmentDependencies } from '../operations/dependencies.js'
import { removeOrphans, type Orphan } from '../operations/orphan-scan.js'
import { recoverRecords } from '../operations/recover-records.js'
import { sleepIdleEnvironments } from '../operations/request-sleep.js'
import { findEnvironment, listEnvironments } from '../operations/state/environments.js'
import { pruneOrphanedRuns } from '../operations/state/runs.js'
import { BranchPass } from './branch-pass.js'
import { BranchWatch, type RepositoryStatus } from './branch-watch.js'
import { CurrentRuns } from './current-runs.js'
import { EnvironmentReconciler } from './environment-reconciler.js'
import { KeyedLoop } from './keyed-loop.js'
import { LeakWatch } from './leak-watch.js'

/** A deploy looks at git again when what is known is older than this. */
const FRESH_MS = 5000
/** How often the config center is asked for calls that lost their environment. */
const LEAK_POLL_MS = 5000
/** How often is looked for environments that nobody uses. */
const IDLE_CHECK_MS = 60_000

/** What a manager is made with besides its dependencies; all but `onChange` are bounds that only tests change. */
export interface ManagerOptions {
  readonly backoff?: { readonly initialMs: number; readonly maxMs: number }
  readonly leakPollMs?: number
  /** Told when a part of {@link EnvironmentManager.status} has changed. Must not throw. */
  readonly onChange?: (part: 'queue' | 'repositories' | 'orphans') => void
}

/** The whole control loop of this process: looks at git, reconciles environments, follows the platform, scans for orphans. */
export class EnvironmentManager {
  readonly #runs = new CurrentRuns()
  readonly #watch: BranchWatch
  readonly #pass: BranchPass
  readonly #loop: KeyedLoop
  readonly #reconciler: EnvironmentReconciler
  readonly #leakPollMs: number
  readonly #onChange: NonNullable<ManagerOptions['onChange']>
  readonly #tasks: Promise<void>[] = []
  #looking: Promise<void> | undefined
  #lookAgain: Set<string> | 'all' | undefined
  #orphans: readonly Orphan[] = []

  constructor(
    private readonly deps: EnvironmentDependencies,
    { leakPollMs = LEAK_POLL_MS, onChange = () => undefined, ...options }: ManagerOptions = {},
  ) {
    this.#leakPollMs = leakPollMs
    this.#onChange = onChange
    this.#watch = new BranchWatch(deps)
    this.#loop = new KeyedLoop({
      concurrency: deps.config.concurrency,
      reconcile: (name) => this.#reconciler.reconcile(name),
      onError: (name, error, retryInMs) => this.#onError(name, error, retryInMs),
      onChange: () => onChange('queue'),
      ...options,
    })
    this.#pass = new BranchPass(deps, {
      watch: this.#watch,
      runs: this.#runs,
      changed: (name) => this.#loop.reset(name),
    })
    this.#reconciler = new EnvironmentReconciler(deps, {
      runs: this.#runs,
      aside: (work) => this.#loop.aside(work),
      branchIsCurrent: (record) => this.#branchIsCurrent(record),
      onEstablished: () => this.#markWhere((record) => !record.established),
      onGone: (name) => this.#afterGone(name),
    })
  }

  /** Recovers what an earlier process left, then begins to look. Resolves when the loop is running. */
  async start(): Promise<void> {
    await this.deps.platform.start({ signal: this.#runs.stopping })
    await recoverRecords(this.deps)
    await this.deps.activity?.load()
    for (const { name } of await listEnvironments(this.deps.store)) this.#loop.mark(name)
    this.#tasks.push(
      this.#pollBranches(),
      this.#followPlatform(),
      this.#resync(),
      this.#watchLeaks(),
      this.#watchIdle(),
    )
  }

  /** Looks at git as soon as possible: at the named repositories, or at all. Requests during a look are joined into one. */
  requestLook(repository?: string): void {
    if (repository === undefined) this.#lookAgain = 'all'
    else if (this.#lookAgain !== 'all') this.#lookAgain = new Set([...(this.#lookAgain ?? []), repository])
    this.#looking ??= this.#lookWhileAsked().finally(() => {
      this.#looking = undefined
    })
  }

  /** Looks at one environment as soon as there is room, forgetting its backoff. */
  mark(environment: string): void {
    this.#loop.reset(environment)
  }

  /** Ends a deploy that is under way, because a person wants something else. */
  supersede(environment: string, why: string): void {
    this.#runs.supersede(environment, why)
  }

  /** What a reconcile would do now. */
  async plan(record: EnvironmentRecord) {
    return this.#reconciler.plan(record)
  }

  /** How the loop is doing. */
  status(): {
    readonly queued: readonly string[]
    readonly running: readonly string[]
    readonly repositories: readonly RepositoryStatus[]
    readonly orphans: readonly Orphan[]
  } {
    const { queued, running } = { queued: this.#loop.queued(), running: this.#loop.running() }
    return { queued, running, repositories: this.#watch.status(), orphans: this.#orphans }
  }

  /** Resolves when nobody is looking and nothing is queued or running; backoffs and polls do not count. */
  async idle(): Promise<void> {
    await this.#looking
    await this.#loop.idle()
  }

  /** Ends runs (the next start goes on with them) and resolves when nothing of this object is active any more. */
  async stop(): Promise<void> {
    this.#runs.stop()
    await this.#loop.stop()
    await this.#looking
    await Promise.all(this.#tasks)
  }

  async #lookWhileAsked(): Promise<void> {
    while (this.#lookAgain !== undefined && !this.#runs.stopping.aborted) {
      const names = this.#lookAgain
      this.#lookAgain = undefined
      const before = this.#repositoriesText()
      await this.#quietly('looking at the branches', () => this.#pass.look(names === 'all' ? undefined : names))
      if (this.#repositoriesText() !== before) this.#onChange('repositories')
    }
  }

  async #pollBranches(): Promise<void> {
    await this.#every(this.deps.config.pollSeconds * 1000, async () => {
      this.requestLook()
      await this.#looking
    })
  }

  /** Every environment is looked at now and then, spread over the interval, so that no drift stays for long. */
  async #resync(): Promise<void> {
    const intervalMs = this.deps.config.resyncSeconds * 1000
    await this.#every(intervalMs, async () => {
      await this.#looking
      await this.#quietly('the orphan scan', () => this.#scanOrphans())
      await this.#quietly('forgetting old runs', () => this.#forgetOldRuns())
      for (const { name } of await listEnvironments(this.deps.store)) {
        this.#loop.markAfter(name, Math.random() * intervalMs)
      }
    })
  }

  /** Only when every repository was heard: before that, what looks like an orphan may be a branch not taken up yet. */
  async #scanOrphans(): Promise<void> {
    if (this.#watch.status().some((repository) => repository.error !== null)) return
    const before = JSON.stringify(this.#orphans)
    this.#orphans = await removeOrphans(this.deps, this.#runs.stopping)
    if (JSON.stringify(this.#orphans) !== before) this.#onChange('orphans')
  }

  /** When a repository was listed last changes all the time and is no news. */
  #repositoriesText(): string {
    return JSON.stringify(this.#watch.status().map(({ lastListedAt: _lastListedAt, ...shown }) => shown))
  }

  async #forgetOldRuns(): Promise<void> {
    const existing = new Set((await listEnvironments(this.deps.store)).map(({ name }) => name))
    const forgotten = await pruneOrphanedRuns(this.deps.store, { existing, now: this.deps.clock.now() })
    for (const runId of forgotten) await this.deps.runLogs.remove(runId)
  }

  async #followPlatform(): Promise<void> {
    await this.#quietly('following the platform', async () => {
      for await (const name of this.deps.platform.watchChanges({ signal: this.#runs.stopping })) this.#loop.mark(name)
    })
  }

  async #watchLeaks(): Promise<void> {
    const watch = new LeakWatch(this.deps)
    await this.#every(this.#leakPollMs, () => watch.look())
  }

  /** Puts to sleep what nobody uses. */
  async #watchIdle(): Promise<void> {
    await this.#every(IDLE_CHECK_MS, async () => {
      const existing = new Set((await listEnvironments(this.deps.store)).map(({ name }) => name))
      await this.deps.activity?.save(existing)
      for (const name of await sleepIdleEnvironments(this.deps)) this.#loop.mark(name)
    })
  }

  async #branchIsCurrent(record: EnvironmentRecord): Promise<boolean> {
    await this.#pass.freshen(record, FRESH_MS)
    const current = await findEnvironment(this.deps.store, record.name)
    if (current === undefined || current.tombstone !== null) return false
    return JSON.stringify(current.heads) === JSON.stringify(record.heads) && this.#isListed(record)
  }

  /** False when every repository of the environment says that the branch is not there: its teardown may wait for a person. */
  #isListed(record: EnvironmentRecord): boolean {
    return Object.keys(record.heads).some((name) => {
      const listing = this.#watch.listingOf(name)
      if (listing.state === 'unknown') return true
      const repository = this.deps.config.repositories.find((one) => one.name === name)
      const branch = record.stage === 'integration' ? repository?.integrationBranch : record.branch
      return branch !== undefined && listing.branches.has(branch)
    })
  }

  /** The branch may have been pushed again meanwhile, and what lay over it lies elsewhere now. */
  async #afterGone(name: string): Promise<void> {
    await this.#markWhere((record) => record.base === name)
    await this.#quietly('taking up branches', () => this.#pass.evaluate())
  }

  async #markWhere(condition: (record: EnvironmentRecord) => boolean): Promise<void> {
    await this.#quietly('marking environments', async () => {
      for (const record of await listEnvironments(this.deps.store)) if (condition(record)) this.#loop.mark(record.name)
    })
  }

  async #every(intervalMs: number, work: () => Promise<void>): Promise<void> {
    const { stopping } = this.#runs
    while (!stopping.aborted) {
      await this.#quietly('a periodic task', work)
      await this.deps.clock.sleep(intervalMs, stopping).catch(() => undefined)
    }
  }

  async #quietly(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!this.#runs.stopping.aborted)
        this.deps.log.error({ error: messageOf(error) }, `${what} failed; it is tried again`)
    }
  }

  #onError(environment: string, error: unknown, retryInMs: number): void {
    if (this.#runs.stopping.aborted) return
    this.deps.observer?.noteReconcileError()
    this.deps.log.warn({ environment, retryInMs, error: messageOf(error) }, 'an environment is not as it should be yet')
  }
}
