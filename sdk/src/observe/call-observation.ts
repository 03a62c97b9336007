import type { CallsReport } from '@tributary/contract'
import type { TableRouting } from '../context/routing.js'
import type { Diagnostics } from '../diagnostics.js'
import type { JsonAnswer } from '../http/transport.js'
import type { Resolver } from '../resolve/resolver.js'
import { CallsReporter } from './calls-reporter.js'
import { observeOutgoing } from './outgoing-channels.js'
import { ProcessObserver } from './process-observer.js'

/** What the observation of one client's process is made of. */
export interface CallObservationOptions {
  readonly service: string
  readonly tenant: string
  readonly routing: TableRouting
  readonly resolver: Resolver
  readonly diagnostics: Diagnostics
  readonly monotonicMs: () => number
  /** Reports are at least this far apart. */
  readonly reportMs: number
  /** As `CallsReporterOptions.send`. */
  readonly send: (report: CallsReport) => Promise<JsonAnswer | undefined>
}

/** Observes the calls of a process for one client: watches them from {@link begin} on, counts them, and reports them until {@link close}. */
export class CallObservation {
  readonly #options: CallObservationOptions
  readonly #observer: ProcessObserver
  readonly #reporter: CallsReporter
  #stopWatching: () => void = () => undefined

  constructor(options: CallObservationOptions) {
    const { service, tenant, routing, diagnostics } = options
    this.#options = options
    this.#observer = new ProcessObserver({
      service,
      tenant,
      ownerFor: (other) => this.#ownerFor(other),
      ownStamp: () => routing.ownStamp,
      monotonicMs: options.monotonicMs,
      onCounted: (urgency) => this.#reporter.wake(urgency),
      onLeak: (message) => diagnostics.report('context_lost', message),
    })
    this.#reporter = new CallsReporter({
      counter: this.#observer.counter,
      refusals: () => routing.refusals,
      send: options.send,
      onGivenUp: (message) => diagnostics.report('report_failed', message),
      intervalMs: options.reportMs,
    })
  }

  /** Begins to watch. */
  begin(): void {
    const { routing, service } = this.#options
    routing.observer = this.#observer
    this.#stopWatching = observeOutgoing({
      observer: this.#observer,
      service,
      serviceAt: (host, port) => routing.serviceAt(host, port),
    })
  }

  /** Stops watching and reports what there is; one that does not get through is lost with the process. */
  async close(): Promise<void> {
    this.#stopWatching()
    await this.#reporter.close()
  }

  #ownerFor(tenant: string): string | null {
    const { state, owner } = this.#options.resolver.resolve(this.#options.service, undefined, tenant)
    return state === 'own' || state === 'inherited' ? owner : null
  }
}
