import { GOODBYE_REASONS, type GoodbyeReason } from '@tributary/contract'
import { STORE_ERRORS, type StoreErrorCode } from '@tributary/store'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { REVIEW_RESULTS, type ReviewResult } from '../tokens/workload-tokens.js'

/** What the gauges look at when they are asked. */
export interface ReplicaSources {
  /** Seconds since the replica lost the store; 0 while it follows it. */
  readonly staleSeconds: () => number
  /** Seconds that it takes now until the replica shows the store's newest revision; `Infinity` when it does not get there soon. */
  readonly lagSeconds: () => Promise<number>
}

/** Methods of the store that are measured. `watch` is counted only where it fails. */
export const STORE_OPERATIONS = [
  'currentRevision',
  'range',
  'transact',
  'watch',
  'grantLease',
  'keepLeaseAlive',
  'revokeLease',
  'compact',
] as const
/** One of {@link STORE_OPERATIONS}. */
export type StoreOperation = (typeof STORE_OPERATIONS)[number]

/** One answered request. `route` is the pattern, never the path. */
export interface AnsweredRequest {
  readonly method: string
  readonly route: string
  readonly status: number
  /** Undefined for streams and polls, which last as long as the client wants. */
  readonly seconds: number | undefined
}

const LATENCY_SECONDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10]
const SIZE_BYTES = [256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576]

/**
 * How a replica follows the store and serves its subscribers, in the registry of its `/metrics`. Labels come from closed sets.
 * A series of a set that is known from the start begins at 0, so that an alert on an increase sees the first one.
 */
export class ReplicaMetrics {
  readonly #registry: Registry
  readonly #resyncs: Counter
  readonly #storeErrors: Counter
  readonly #storeSeconds: Histogram
  readonly #deltaBytes: Histogram
  readonly #ackSeconds: Histogram
  readonly #ended: Counter
  readonly #requests: Counter
  readonly #requestSeconds: Histogram
  readonly #pruned: Counter
  readonly #reviews: Counter

  constructor(registry: Registry) {
    this.#registry = registry
    this.#resyncs = this.#counter(
      'watch_resyncs_total',
      'Times that the watch on the store began again, by cause.',
      'cause',
    )
    for (const cause of ['compacted', 'failed']) this.#resyncs.inc({ cause }, 0)
    this.#storeErrors = this.#counter('store_errors_total', 'Failed calls of the store, by operation and code.', [
      'operation',
      'code',
    ])
    this.#storeSeconds = this.#histogram('store_operation_seconds', 'Answered calls of the store.', {
      buckets: LATENCY_SECONDS,
      labelNames: ['operation'],
    })
    const buckets = { buckets: SIZE_BYTES }
    this.#deltaBytes = this.#histogram(
      'stream_delta_bytes',
      'Size of each delta, encoded once for all who get it.',
      buckets,
    )
    this.#ackSeconds = this.#histogram(
      'stream_ack_lag_seconds',
      'From a revision’s arrival at this replica to a subscriber’s report that it has applied it.',
      { buckets: LATENCY_SECONDS },
    )
    this.#ended = this.#counter(
      'stream_ended_total',
      'Streams that this replica ended, by the reason that it gave.',
      'reason',
    )
    for (const reason of GOODBYE_REASONS) this.#ended.inc({ reason }, 0)
    this.#requests = this.#counter('http_requests_total', 'Answered requests, by method, route and status.', [
      'method',
      'route',
      'status',
    ])
    this.#requestSeconds = this.#histogram('http_request_seconds', 'Answered requests without streams and polls.', {
      buckets: LATENCY_SECONDS,
      labelNames: ['route'],
    })
    this.#reviews = this.#counter(
      'workload_reviews_total',
      'Questions to the platform whose a workload’s token is, by what came of them.',
      'result',
    )
    for (const result of REVIEW_RESULTS) this.#reviews.inc({ result }, 0)
    this.#pruned = this.#counter(
      'history_pruned_total',
      'History records that were forgotten because of their age or number.',
    )
  }

  noteResync(cause: 'compacted' | 'failed'): void {
    this.#resyncs.inc({ cause })
  }

  noteStoreError(operation: StoreOperation, code: string): void {
    this.#storeErrors.inc({ operation, code: isStoreCode(code) ? code : 'OTHER' })
  }

  noteStoreAnswer(operation: StoreOperation, seconds: number): void {
    this.#storeSeconds.observe({ operation }, seconds)
  }

  noteDelta(bytes: number): void {
    this.#deltaBytes.observe(bytes)
  }

  noteAck(seconds: number): void {
    this.#ackSeconds.observe(seconds)
  }

  noteEnded(reason: GoodbyeReason): void {
    this.#ended.inc({ reason })
  }

  noteRequest({ method, route, status, seconds }: AnsweredRequest): void {
    this.#requests.inc({ method, route, status: String(status) })
    if (seconds !== undefined) this.#requestSeconds.observe({ route }, seconds)
  }

  noteReview(result: ReviewResult): void {
    this.#reviews.inc({ result })
  }

  notePruned(records: number): void {
    this.#pruned.inc(records)
  }

  /** Adds what is looked at when it is asked for. Once. */
  addGauges({ staleSeconds, lagSeconds }: ReplicaSources): void {
    const staleHelp = 'How long this replica has been without the store; 0 while it follows it.'
    this.#gauge('watch_stale_seconds', staleHelp, staleSeconds)
    const lagHelp =
      'How long this replica takes, at the scrape, to show the store’s newest revision; +Inf: more than 2 s.'
    this.#gauge('watch_lag_seconds', lagHelp, lagSeconds)
    this.#gauge('process_resident_memory_bytes', 'Resident memory of the process.', () => process.memoryUsage.rss())
    this.#gauge('process_cpu_seconds', 'Processor time of the process since it began.', () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    })
  }

  #counter(name: string, help: string, labels: string | string[] = []): Counter {
    const labelNames = [labels].flat()
    return new Counter({ name: `config_center_${name}`, help, labelNames, registers: [this.#registry] })
  }

  #histogram(name: string, help: string, options: { buckets: number[]; labelNames?: string[] }): Histogram {
    return new Histogram({ name: `config_center_${name}`, help, registers: [this.#registry], ...options })
  }

  #gauge(name: string, help: string, read: () => number | Promise<number>): Gauge {
    return new Gauge({
      name: `config_center_${name}`,
      help,
      registers: [this.#registry],
      async collect() {
        this.set(await read())
      },
    })
  }
}

function isStoreCode(code: string): code is StoreErrorCode {
  return Object.hasOwn(STORE_ERRORS, code)
}
