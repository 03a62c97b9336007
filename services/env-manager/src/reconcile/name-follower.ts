import { basesBelow } from '../domain/bases-below.js'
import type { EnvironmentRecord } from '../domain/environment-record.js'
import { applyMeshRoutes } from '../operations/apply-mesh-routes.js'
import { applyServiceNames } from '../operations/apply-service-names.js'
import { contextOutsideRun } from '../operations/context-outside-run.js'
import { messageOf, type EnvironmentDependencies } from '../operations/dependencies.js'
import { findEnvironment, listEnvironments } from '../operations/state/environments.js'
import type { RouteChanges } from '../ports/route-changes.js'
import { KeyedLoop, type KeyedLoopOptions, type ReconcileResult } from './keyed-loop.js'

/** Environments whose names are brought up to date at a time. */
const PARALLEL = 4
/** How soon a cluster that took no header routes is asked again: somebody may have installed its mesh. */
const REFUSED_RETRY_MS = 60_000

/**
 * Keeps the service names and header routes of every environment as the config center resolves them: when a base's service comes, moves or goes, each environment over it
 * follows. Woken by the route table, but it looks at what is, and tries again with backoff.
 */
export class NameFollower {
  readonly #loop: KeyedLoop
  /** What each environment saw when it was last brought up to date. */
  readonly #applied = new Map<string, string>()
  /** What each environment saw when it was last looked at; what comes after that look marks it again. */
  readonly #seen = new Map<string, string>()
  /** A cluster that does not answer must not hold up the end of the process. */
  readonly #stopping = new AbortController()

  constructor(
    private readonly deps: EnvironmentDependencies,
    private readonly routes: RouteChanges,
    options: Pick<KeyedLoopOptions, 'backoff'> = {},
  ) {
    this.#loop = new KeyedLoop({
      concurrency: PARALLEL,
      reconcile: (name) => this.#follow(name),
      onError: (environment, error, retryInMs) =>
        deps.log.warn({ environment, retryInMs, error: messageOf(error) }, 'service names are not up to date yet'),
      ...options,
    })
  }

  /** Follows until `signal` aborts; resolves when nothing runs any more. */
  async run(signal: AbortSignal): Promise<void> {
    if (!this.deps.platform.capabilities.has('service-names')) return
    const unsubscribe = this.routes.onChange(() => void this.lookAtAll())
    try {
      await this.lookAtAll()
      await new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => resolve(), { once: true })
        if (signal.aborted) resolve()
      })
    } finally {
      unsubscribe()
      this.#stopping.abort(signal.reason)
      await this.#loop.stop()
    }
  }

  /** Marks every environment that sees something else than when it was last brought up to date. Never rejects. */
  async lookAtAll(): Promise<void> {
    try {
      const records = new Map((await listEnvironments(this.deps.store)).map((record) => [record.name, record]))
      for (const name of records.keys()) {
        const now = this.#fingerprintOf(name, records)
        if (now === undefined || now === this.#applied.get(name)) continue
        this.#seen.set(name, now)
        this.#loop.mark(name)
      }
    } catch (error) {
      this.deps.log.warn(
        { error: messageOf(error) },
        'could not look whose service names changed; the next change looks again',
      )
    }
  }

  async #follow(name: string): Promise<ReconcileResult> {
    const seen = this.#seen.get(name)
    const record = await findEnvironment(this.deps.store, name)
    if (record === undefined || record.tombstone !== null) {
      this.#applied.delete(name)
      this.#seen.delete(name)
      return {}
    }
    const log = (text: string): void => this.deps.log.info({ environment: name }, text)
    const context = contextOutsideRun(this.deps, record, { signal: this.#stopping.signal, log })
    await applyServiceNames(this.deps, name, context)
    const outcome = await applyMeshRoutes(this.deps, record, context)
    if (seen !== undefined) this.#applied.set(name, seen)
    return outcome === 'refused' ? { requeueAfterMs: REFUSED_RETRY_MS } : {}
  }

  /** Header routes stand at the Services of all environments below: what those have counts too, although the environment does not see it. */
  #fingerprintOf(name: string, records: ReadonlyMap<string, EnvironmentRecord>): string | undefined {
    const own = this.routes.fingerprintOf(name)
    if (own === undefined || (this.deps.mesh?.routes.kind ?? 'none') === 'none') return own
    const below = basesBelow(name, records).map((base) => `${base} ${this.routes.fingerprintOf(base) ?? ''}`)
    return [own, ...below].join('\n')
  }
}
