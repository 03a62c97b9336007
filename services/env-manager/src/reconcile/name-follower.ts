import { applyServiceNames } from '../operations/apply-service-names.js'
import { messageOf, type EnvironmentDependencies } from '../operations/dependencies.js'
import { findEnvironment, listEnvironments } from '../operations/state/environments.js'
import { recordLedgerLineWhileThere } from '../operations/state/ledger.js'
import type { RouteChanges } from '../ports/route-changes.js'
import { KeyedLoop, type KeyedLoopOptions } from './keyed-loop.js'

/** Environments whose names are brought up to date at a time. */
const PARALLEL = 4

/**
 * Keeps the service names of every environment as the config center resolves them: when a base's service comes, moves or goes, each environment over it
 * follows. Woken by the route table, but it looks at what is, and tries again with backoff.
 */
export class NameFollower {
  readonly #loop: KeyedLoop
  /** What each environment saw when it was last brought up to date. */
  readonly #applied = new Map<string, string>()
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
      for (const { name } of await listEnvironments(this.deps.store)) {
        const now = this.routes.fingerprintOf(name)
        if (now !== undefined && now !== this.#applied.get(name)) this.#loop.mark(name)
      }
    } catch (error) {
      this.deps.log.warn(
        { error: messageOf(error) },
        'could not look whose service names changed; the next change looks again',
      )
    }
  }

  async #follow(name: string): Promise<Record<string, never>> {
    const seen = this.routes.fingerprintOf(name)
    const record = await findEnvironment(this.deps.store, name)
    if (record === undefined || record.tombstone !== null) {
      this.#applied.delete(name)
      return {}
    }
    await applyServiceNames(this.deps, name, {
      signal: this.#stopping.signal,
      log: (text) => this.deps.log.info({ environment: name }, text),
      record: ({ kind, id }) =>
        recordLedgerLineWhileThere(this.deps.store, {
          environment: name,
          generation: record.generation,
          kind,
          id,
          recordedAt: new Date(this.deps.clock.now()).toISOString(),
        }),
    })
    if (seen !== undefined) this.#applied.set(name, seen)
    return {}
  }
}
