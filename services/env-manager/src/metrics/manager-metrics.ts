import { ENVIRONMENT_PHASES, RUN_STATES, type EnvironmentPhase, type Run } from '@tributary/contract'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { ManagerObserver } from '../ports/manager-observer.js'
import type { PlatformWatch } from '../ports/platform.js'

/** What the gauges look at when they are asked. */
export interface ManagerSources {
  readonly environments: () => Promise<readonly EnvironmentPhase[]>
  /** Removals that wait for a person's approval. */
  readonly frozenRemovals: () => Promise<number>
  readonly queued: () => number
  readonly running: () => number
  /** Repositories that could not be listed the last time. */
  readonly failingRepositories: () => number
  /** What the platform is watched by. */
  readonly watches: () => readonly PlatformWatch[]
}

const RUN_KINDS = ['deploy', 'sleep', 'teardown'] as const
const RUN_SECONDS = [1, 5, 15, 30, 60, 120, 300, 900, 1_800]

interface WatchGauge {
  readonly help: string
  readonly read: (watch: PlatformWatch) => number | undefined
}

/** Metrics of the env-manager in Prometheus text. Labels come from closed sets: environments and services have the API. */
export class ManagerMetrics implements ManagerObserver {
  readonly #registry = new Registry()
  readonly #runs: Counter
  readonly #runSeconds: Histogram
  readonly #reconcileErrors: Counter

  constructor() {
    const registers = [this.#registry]
    this.#runs = new Counter({
      name: 'env_manager_runs_total',
      help: 'Ended runs, by kind and outcome.',
      labelNames: ['kind', 'state'],
      registers,
    })
    for (const kind of RUN_KINDS) {
      for (const state of RUN_STATES) if (state !== 'running') this.#runs.inc({ kind, state }, 0)
    }
    this.#runSeconds = new Histogram({
      name: 'env_manager_run_seconds',
      help: 'Duration of ended runs, by kind.',
      labelNames: ['kind'],
      buckets: RUN_SECONDS,
      registers,
    })
    this.#reconcileErrors = new Counter({
      name: 'env_manager_reconcile_errors_total',
      help: 'Looks at an environment that failed and are tried again.',
      registers,
    })
  }

  /** `Content-Type` of {@link render}. */
  get contentType(): string {
    return this.#registry.contentType
  }

  /** All metrics in the Prometheus text format. Rejects as the sources do. */
  render(): Promise<string> {
    return this.#registry.metrics()
  }

  noteRun({ kind, state, startedAt, finishedAt }: Run): void {
    this.#runs.inc({ kind, state })
    if (finishedAt === null) return
    this.#runSeconds.observe({ kind }, Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)) / 1_000)
  }

  noteReconcileError(): void {
    this.#reconcileErrors.inc()
  }

  /** Adds what is looked at when it is asked for. Once. */
  addGauges(sources: ManagerSources): void {
    this.#registry.registerMetric(
      new Gauge({
        name: 'env_manager_environments',
        help: 'Environments, by phase.',
        labelNames: ['phase'],
        registers: [],
        async collect() {
          const phases = await sources.environments()
          for (const phase of ENVIRONMENT_PHASES) this.set({ phase }, phases.filter((one) => one === phase).length)
        },
      }),
    )
    this.#gauge('queue_length', 'Environments that wait to be looked at.', sources.queued)
    this.#gauge('queue_running', 'Environments that are being looked at.', sources.running)
    this.#gauge('breaker_removals', 'Removals that wait for a person’s approval; 0: none do.', sources.frozenRemovals)
    const repositories = 'Repositories that could not be listed the last time.'
    this.#gauge('repositories_failing', repositories, sources.failingRepositories)
    this.#watchGauge(sources.watches, 'age_seconds', {
      help: 'Time since the cluster was last heard, by kind: what is known of workloads may be as old.',
      read: ({ ageMs }) => (ageMs === undefined ? undefined : ageMs / 1_000),
    })
    this.#watchGauge(sources.watches, 'failures', {
      help: 'How often a watch of the cluster broke off since the process began, by kind.',
      read: ({ failures }) => failures,
    })
    this.#gauge('process_resident_memory_bytes', 'Resident memory of the process.', () => process.memoryUsage.rss())
    this.#gauge('process_cpu_seconds', 'Processor time of the process since it began.', () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    })
  }

  #watchGauge(watches: ManagerSources['watches'], name: string, options: WatchGauge): void {
    this.#registry.registerMetric(
      new Gauge({
        name: `env_manager_platform_watch_${name}`,
        help: options.help,
        labelNames: ['kind'],
        registers: [],
        collect() {
          for (const watch of watches()) {
            const value = options.read(watch)
            if (value !== undefined) this.set({ kind: watch.kind }, value)
          }
        },
      }),
    )
  }

  #gauge(name: string, help: string, read: () => number | Promise<number>): void {
    this.#registry.registerMetric(
      new Gauge({
        name: `env_manager_${name}`,
        help,
        registers: [],
        async collect() {
          this.set(await read())
        },
      }),
    )
  }
}
