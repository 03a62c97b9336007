import type { Clock } from '@tributary/kit'
import { probeHealth } from './health-probe.js'
import type { WorkloadRecord } from './workload-record.js'

/** What a health watch tells. */
export interface HealthListener {
  /** Readiness holds now. */
  readonly onHealthy: () => void
  /** It held, and does no longer. */
  readonly onUnhealthy: (problem: string) => void
  /** It never held yet: why. */
  readonly onWaiting: (problem: string) => void
  /** Liveness failed several times in a row: the process hangs. */
  readonly onHung: () => void
}

const FIRST_POLL_MS = 25
const STARTING_POLL_MS = 1000
const HEALTHY_POLL_MS = 15_000
const PROBE_TIMEOUT_MS = 3000
const FAILURES_BEFORE_UNHEALTHY = 3
const FAILURES_BEFORE_HUNG = 5

/** Asks a process how it is: every 25 ms at first, less and less often, every 15 s when it is well. */
export class HealthWatch {
  private readonly ended = new AbortController()
  private loop: Promise<void> = Promise.resolve()
  private healthySince: number | undefined
  private readinessFailures = 0
  private livenessFailures = 0

  constructor(
    private readonly record: WorkloadRecord,
    private readonly context: { readonly clock: Clock; readonly random: () => number },
    private readonly listener: HealthListener,
  ) {}

  start(): void {
    this.loop = this.run()
  }

  async stop(): Promise<void> {
    this.ended.abort()
    await this.loop
  }

  /** For how long readiness has held. */
  healthyMs(): number {
    return this.healthySince === undefined ? 0 : this.context.clock.monotonicMs() - this.healthySince
  }

  private async run(): Promise<void> {
    let pollMs = FIRST_POLL_MS
    while (!this.ended.signal.aborted) {
      const problem = await this.probe(this.record.readinessPath)
      if (this.ended.signal.aborted) return
      const wasHealthy = this.healthySince !== undefined && this.readinessFailures === 0
      this.note(problem)
      await this.checkLiveness()
      pollMs = this.nextPollMs(wasHealthy, problem === undefined, pollMs)
      await this.context.clock
        .sleep(pollMs * (0.9 + this.context.random() * 0.2), this.ended.signal)
        .catch(() => undefined)
    }
  }

  private nextPollMs(wasHealthy: boolean, isHealthy: boolean, pollMs: number): number {
    if (isHealthy) return wasHealthy ? Math.min(pollMs * 2, HEALTHY_POLL_MS) : STARTING_POLL_MS
    return this.healthySince === undefined ? Math.min(pollMs * 1.5, STARTING_POLL_MS) : STARTING_POLL_MS
  }

  private note(problem: string | undefined): void {
    if (problem === undefined) {
      this.readinessFailures = 0
      this.healthySince ??= this.context.clock.monotonicMs()
      this.listener.onHealthy()
      return
    }
    this.readinessFailures += 1
    if (this.healthySince === undefined) this.listener.onWaiting(problem)
    else if (this.readinessFailures === FAILURES_BEFORE_UNHEALTHY) this.listener.onUnhealthy(problem)
  }

  /** Only once it has been ready: before that, `awaitHealthy`'s deadline decides. */
  private async checkLiveness(): Promise<void> {
    if (this.record.livenessPath === null || this.healthySince === undefined) return
    const problem = await this.probe(this.record.livenessPath)
    if (this.ended.signal.aborted) return
    this.livenessFailures = problem === undefined ? 0 : this.livenessFailures + 1
    if (this.livenessFailures < FAILURES_BEFORE_HUNG) return
    this.livenessFailures = 0
    this.listener.onUnhealthy(`liveness failed ${FAILURES_BEFORE_HUNG} times, it is started again: ${problem}`)
    this.listener.onHung()
  }

  private async probe(path: string | null): Promise<string | undefined> {
    const { endpoints } = this.record
    const endpoint = (path === null ? undefined : endpoints.find(({ protocol }) => protocol === 'http')) ?? endpoints[0]
    if (endpoint === undefined) return undefined
    return probeHealth({
      host: endpoint.host,
      port: endpoint.port,
      path,
      timeoutMs: PROBE_TIMEOUT_MS,
      signal: this.ended.signal,
    })
  }
}
