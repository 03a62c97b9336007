import { LEAK_KINDS, REFUSED_CONTEXT_REASONS, type CallsReport } from '@tributary/contract'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { ReportOutcome } from './call-book.js'

/** What the gauges look at when they are asked. */
export interface MetricSources {
  readonly subscribers: () => number
  readonly edges: () => number
  readonly storeRevision: () => bigint
}

/**
 * Metrics of the config center in Prometheus text. Labels come from closed sets: tenants, services and routes are for
 * `GET /v1/tenants/:tenant/calls`, since their number would be the number of time series.
 */
export class CallMetrics {
  readonly #registry: Registry
  readonly #reports: Counter
  readonly #calls: Counter
  readonly #leaks: Counter
  readonly #refused: Counter
  readonly #uncounted: Counter

  /** Adds them to a registry, which may hold others; {@link render} shows all that it holds. */
  constructor(registry: Registry, sources: MetricSources) {
    this.#registry = registry
    this.#reports = this.#counter('calls_reports_total', 'Reports of calls, by what became of them.', 'result')
    this.#calls = this.#counter('calls_total', 'Calls between services that were reported, by outcome.', 'outcome')
    this.#leaks = this.#counter('calls_leaks_total', 'Calls that lost the routing context, by kind.', 'kind')
    const refusedHelp = 'Routing contexts that were not taken, by reason.'
    this.#refused = this.#counter('calls_refused_contexts_total', refusedHelp, 'reason')
    this.#uncounted = this.#counter('calls_uncounted_total', 'Calls that processes had no room to count.')
    // Series that never came are 0, so that an alert on an increase sees the first one.
    for (const result of ['counted', 'repeated']) this.#reports.inc({ result }, 0)
    for (const outcome of ['ok', 'error']) this.#calls.inc({ outcome }, 0)
    for (const kind of LEAK_KINDS) this.#leaks.inc({ kind }, 0)
    for (const reason of REFUSED_CONTEXT_REASONS) this.#refused.inc({ reason }, 0)
    this.#gauge('calls_edges', 'Edges of calls that are kept in memory, of all tenants.', sources.edges)
    this.#gauge('stream_subscribers', 'Live streams and long polls of this replica.', sources.subscribers)
    this.#gauge('store_revision', 'Newest store revision that this replica has seen.', () =>
      Number(sources.storeRevision()),
    )
  }

  /** `Content-Type` of {@link render}. */
  get contentType(): string {
    return this.#registry.contentType
  }

  /** Counts a report; one that was repeated adds nothing but itself. */
  note(report: CallsReport, outcome: ReportOutcome): void {
    this.#reports.inc({ result: outcome })
    if (outcome === 'repeated') return
    for (const { calls, errors } of report.calls) {
      this.#calls.inc({ outcome: 'ok' }, Math.max(0, calls - errors))
      this.#calls.inc({ outcome: 'error' }, errors)
    }
    for (const { kind, count } of report.leaks) this.#leaks.inc({ kind }, count)
    for (const reason of REFUSED_CONTEXT_REASONS) this.#refused.inc({ reason }, report.refusedContexts[reason] ?? 0)
    this.#uncounted.inc(report.uncounted)
  }

  /** All metrics in the Prometheus text format. */
  render(): Promise<string> {
    return this.#registry.metrics()
  }

  #counter(name: string, help: string, ...labelNames: string[]): Counter {
    return new Counter({ name: `config_center_${name}`, help, labelNames, registers: [this.#registry] })
  }

  #gauge(name: string, help: string, read: () => number): Gauge {
    return new Gauge({
      name: `config_center_${name}`,
      help,
      registers: [this.#registry],
      collect() {
        this.set(read())
      },
    })
  }
}
