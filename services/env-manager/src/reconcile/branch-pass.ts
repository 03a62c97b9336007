import { INTEGRATION_TENANT } from '@tributary/contract'
import { decideRemovals } from '../domain/deletion-breaker.js'
import {
  desiredState,
  isPush,
  type DesiredState,
  type GoneEnvironment,
  type WantedEnvironment,
} from '../domain/desired-state.js'
import { knownEnvironment, type EnvironmentRecord } from '../domain/environment-record.js'
import { messageOf, ttlMsOf, type EnvironmentDependencies } from '../operations/dependencies.js'
import { awake } from '../operations/request-sleep.js'
import { findBreaker, saveBreaker, type BreakerState } from '../operations/state/breaker.js'
import { claimEnvironment, listEnvironments, updateEnvironment } from '../operations/state/environments.js'
import { dropSuspension, listSuspensions, putSuspension } from '../operations/state/suspensions.js'
import type { BranchWatch } from './branch-watch.js'
import type { CurrentRuns } from './current-runs.js'

/** What a pass needs besides the operations' dependencies. */
export interface BranchPassHooks {
  readonly watch: BranchWatch
  readonly runs: CurrentRuns
  /** Marks an environment whose desired state changed. */
  readonly changed: (environment: string) => void
}

/**
 * One look over all branches: names new environments, notes pushes, puts tombstones on what is gone, as far as the breaker
 * lets it. It acts on nothing itself; each environment's reconcile does. One environment's failure never stops the others.
 */
export class BranchPass {
  constructor(
    private readonly deps: EnvironmentDependencies,
    private readonly hooks: BranchPassHooks,
  ) {}

  /** Lists repositories (all by default), then evaluates. */
  async look(names?: ReadonlySet<string>): Promise<void> {
    await this.#list(await listEnvironments(this.deps.store), names)
    await this.evaluate()
  }

  /** Works out what should be from the listings at hand. */
  async evaluate(): Promise<void> {
    const records = await listEnvironments(this.deps.store)
    const state = await this.#desired(records)
    for (const wanted of state.wanted) await this.#guard(wanted.branch, () => this.#want(wanted, records))
    await this.#removeGone(state.gone, records)
    await this.#dropSuspensions()
  }

  /** Lists the environment's repositories again when the answer is older than `maxAgeMs`. */
  async freshen(record: EnvironmentRecord, maxAgeMs: number): Promise<void> {
    const old = Object.keys(record.heads).filter((repository) => this.hooks.watch.ageMs(repository) > maxAgeMs)
    if (old.length > 0) await this.look(new Set(old))
  }

  async #list(records: readonly EnvironmentRecord[], names?: ReadonlySet<string>): Promise<void> {
    const hadBranches = (repository: string): boolean => records.some((record) => repository in record.heads)
    await this.hooks.watch.list({ signal: this.hooks.runs.stopping, hadBranches }, names)
    this.hooks.runs.stopping.throwIfAborted()
  }

  async #desired(records: readonly EnvironmentRecord[]): Promise<DesiredState> {
    const { config, clock, store } = this.deps
    return desiredState({
      repositories: config.repositories.map(({ name, integrationBranch }) => ({
        name,
        integrationBranch,
        listing: this.hooks.watch.listingOf(name),
      })),
      filter: config.branches,
      known: records.map(knownEnvironment),
      suspended: await listSuspensions(store),
      ttlMs: ttlMsOf(config),
      now: clock.now(),
    })
  }

  async #want(wanted: WantedEnvironment, records: readonly EnvironmentRecord[]): Promise<void> {
    const record = records.find((one) => isOf(one, wanted))
    const now = this.deps.clock.now()
    if (record === undefined) {
      const claimed = await claimEnvironment(this.deps.store, { ...wanted, now })
      this.hooks.changed(claimed.name)
    } else if (record.tombstone === null && !sameHeads(record, wanted)) {
      await this.#push(record, wanted, now)
    }
  }

  /** A push takes over from a deploy that is under way. */
  async #push(record: EnvironmentRecord, { heads }: WantedEnvironment, now: number): Promise<void> {
    await updateEnvironment(this.deps.store, record.name, (current) => {
      const isNew = isPush(current.heads, heads)
      const moved = { ...current, heads, lastPushAt: isNew ? now : current.lastPushAt }
      return isNew && current.asleep ? awake(moved, now) : moved
    })
    this.hooks.runs.supersede(
      record.name,
      `Branch ${record.branch} moved while it was being deployed; the newer commit takes over`,
    )
    this.hooks.changed(record.name)
  }

  async #removeGone(gone: readonly GoneEnvironment[], records: readonly EnvironmentRecord[]): Promise<void> {
    const confirmed = await this.#confirm(gone, records)
    const before = await findBreaker(this.deps.store)
    const total = records.filter((record) => record.name !== INTEGRATION_TENANT).length
    const decision = decideRemovals({ removals: confirmed, total, approvedId: before?.approvedId })
    if (decision.state === 'frozen') {
      await this.#freeze({ ...decision, wouldDelete: confirmed.map(({ name }) => name) }, before)
      return
    }
    if (before !== undefined) await saveBreaker(this.deps.store, undefined)
    for (const one of confirmed) await this.#guard(one.name, () => this.#tombstone(one))
  }

  /** A second answer must say the same before anything is deleted: one flapping replica of a git server is not enough. */
  async #confirm(
    gone: readonly GoneEnvironment[],
    records: readonly EnvironmentRecord[],
  ): Promise<readonly GoneEnvironment[]> {
    if (gone.length === 0) return []
    const names = new Set(gone.map(({ name }) => name))
    const repositories = records.filter(({ name }) => names.has(name)).flatMap(({ heads }) => Object.keys(heads))
    await this.#list(records, new Set(repositories))
    const again = await this.#desired(await listEnvironments(this.deps.store))
    return again.gone.filter((one) => names.has(one.name))
  }

  async #freeze(
    decision: { readonly approvalId: string; readonly reason: string; readonly wouldDelete: readonly string[] },
    before: BreakerState | undefined,
  ): Promise<void> {
    if (before?.approvalId === decision.approvalId) return
    const { approvalId, reason, wouldDelete } = decision
    this.deps.log.error({ approvalId, wouldDelete }, reason)
    await saveBreaker(this.deps.store, { approvalId, reason, wouldDelete, since: this.deps.clock.now() })
  }

  async #tombstone({ name, generation, reason }: GoneEnvironment): Promise<void> {
    const at = this.deps.clock.now()
    await updateEnvironment(this.deps.store, name, (current) => {
      if (current.tombstone !== null || current.generation !== generation) return current
      const record = { ...current, tombstone: { reason, at } }
      if (reason !== 'expired') return record
      const { branch, heads } = current
      return { record, alongside: { mutations: [putSuspension({ branch, heads })] } }
    })
    this.hooks.runs.supersede(name, `The environment is to be removed (${reason}); the teardown takes over`)
    this.hooks.changed(name)
  }

  async #dropSuspensions(): Promise<void> {
    const { config, store } = this.deps
    const listings = config.repositories.map(({ name }) => this.hooks.watch.listingOf(name))
    if (listings.some((listing) => listing.state === 'unknown')) return
    for (const branch of (await listSuspensions(store)).keys()) {
      const exists = listings.some((listing) => listing.state === 'listed' && listing.branches.has(branch))
      if (!exists) await dropSuspension(store, branch)
    }
  }

  async #guard(subject: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.deps.log.error({ subject, error: messageOf(error) }, 'a branch could not be taken up; the others go on')
    }
  }
}

function isOf(record: EnvironmentRecord, { kind, branch }: WantedEnvironment): boolean {
  return kind === 'integration'
    ? record.name === INTEGRATION_TENANT
    : record.branch === branch && record.name !== INTEGRATION_TENANT
}

function sameHeads(record: EnvironmentRecord, { heads }: WantedEnvironment): boolean {
  return !isPush(record.heads, heads) && Object.keys(record.heads).length === Object.keys(heads).length
}
