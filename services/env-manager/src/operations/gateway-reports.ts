import type { RequestReport } from '@tributary/contract'
import type { Clock } from '@tributary/kit'
import type { RevisionedStore } from '@tributary/store'
import type { EnvironmentRoutes, RequestListener } from '../ports/environment-routes.js'
import { listEnvironments } from './state/environments.js'

/** What {@link GatewayReports} works with. */
export interface GatewayReportsOptions {
  readonly store: RevisionedStore
  readonly clock: Clock
}

interface Gateway {
  readonly heardAt: number
  /** Environments that it passes nothing on to. */
  readonly knows: ReadonlySet<string>
}

/** A gateway that was not heard for so long is gone, or passes nothing on. */
const LIVE_MS = 10_000
/** How long requests count as counted after the last gateway was heard. */
const COUNTED_MS = 60_000
/** How long falling asleep waits for gateways to pass nothing on any more. */
const TELL_MS = 8_000

/**
 * What gateways in processes of their own tell of requests, and what they are told: which environments are asleep. With it, routes of a cluster count requests and
 * wake environments as those of one machine do.
 */
export class GatewayReports {
  readonly #listeners = new Set<RequestListener>()
  readonly #gateways = new Map<string, Gateway>()
  /** Until their routes are applied again: a woken one has nothing that runs at first. */
  readonly #suspended = new Set<string>()
  #onReport = new AbortController()

  constructor(private readonly options: GatewayReportsOptions) {}

  /** Takes a report; answers which environments are asleep. Environments that there are not are passed over. */
  async take({ gateway, used, wanted, asleep: known }: RequestReport): Promise<readonly string[]> {
    const records = await listEnvironments(this.options.store)
    const present = new Set(records.map(({ name }) => name))
    for (const listener of this.#listeners) {
      for (const name of used) if (present.has(name)) listener.used(name)
      for (const name of wanted) if (present.has(name)) listener.wanted(name)
    }
    const asleep = records.filter(
      ({ name, asleep: sleeps, established, tombstone }) =>
        tombstone === null && established && (this.#suspended.has(name) || (sleeps ?? null) !== null),
    )
    this.#gateways.set(gateway, { heardAt: this.options.clock.monotonicMs(), knows: new Set(known) })
    this.#forgetSilent()
    this.#onReport.abort()
    this.#onReport = new AbortController()
    return asleep.map(({ name }) => name)
  }

  /** The routes, with requests counted and environments suspended by the gateways that report. */
  over(routes: EnvironmentRoutes): EnvironmentRoutes {
    return {
      urlOf: (environment, service) => routes.urlOf(environment, service),
      verifyGone: (environment) => routes.verifyGone(environment),
      list: () => routes.list(),
      follow: (listener) => {
        this.#listeners.add(listener)
        return () => void this.#listeners.delete(listener)
      },
      countsRequests: () => this.#heardWithin(COUNTED_MS).length > 0,
      suspend: (environment) => this.#suspend(environment),
      resume: (environment) => void this.#suspended.delete(environment),
      apply: async (environment) => {
        await routes.apply(environment)
        this.#suspended.delete(environment)
      },
      remove: async (environment) => {
        await routes.remove(environment)
        this.#suspended.delete(environment)
      },
    }
  }

  /** Resolves when every gateway that reports knows, bounded: one that is stuck must keep nothing awake. */
  async #suspend(environment: string): Promise<void> {
    this.#suspended.add(environment)
    const { clock } = this.options
    const deadline = clock.monotonicMs() + TELL_MS
    while (this.#heardWithin(LIVE_MS).some(({ knows }) => !knows.has(environment))) {
      const leftMs = deadline - clock.monotonicMs()
      if (leftMs <= 0) return
      await clock.sleep(leftMs, this.#onReport.signal).catch(() => undefined)
    }
  }

  #heardWithin(ms: number): readonly Gateway[] {
    const since = this.options.clock.monotonicMs() - ms
    return [...this.#gateways.values()].filter(({ heardAt }) => heardAt >= since)
  }

  #forgetSilent(): void {
    const since = this.options.clock.monotonicMs() - COUNTED_MS
    for (const [name, { heardAt }] of this.#gateways) if (heardAt < since) this.#gateways.delete(name)
  }
}
