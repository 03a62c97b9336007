import type { Clock } from '@tributary/kit'
import { failure } from '../../errors.js'
import type { WorkloadStatus } from '../../ports/platform.js'
import {
  afterExit,
  describeCrashes,
  isCrashLoop,
  NO_CRASHES,
  restartDelayMs,
  type CrashHistory,
} from './crash-history.js'
import { HealthWatch } from './health-watch.js'
import { localFailure } from './local-errors.js'
import type { OutputLog } from './output-log.js'
import type { PortAllocator } from './port-allocator.js'
import { stopProcesses } from './process-group.js'
import type { ProcessTable } from './process-table.js'
import { adoptService, spawnService, type ProcessExit, type ServiceProcess } from './service-process.js'
import { processEnvironment } from './workload-environment.js'
import type { WorkloadRecord } from './workload-record.js'

/** What supervisors share. */
export interface SupervisorContext {
  readonly table: ProcessTable
  readonly clock: Clock
  readonly random: () => number
  readonly ports: PortAllocator
  readonly host: Readonly<Record<string, string | undefined>>
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number
  /** Makes the record durable. */
  readonly save: (record: WorkloadRecord) => Promise<void>
  /** A workload of the environment changed on its own. */
  readonly onChange: (environment: string) => void
}

type Health = WorkloadStatus['health']

const ADOPTED_POLL_MS = 2000
const MAX_PORT_CHANGES = 5
const PORT_TAKEN = /EADDRINUSE|address already in use/i
const EXIT_LOG_LINES = 50

/** Keeps one workload running: starts it, watches it, starts it again when it dies. States as in {@link WorkloadStatus}. */
export class WorkloadSupervisor {
  private health: Health = 'starting'
  private message: string | null = null
  private crashes: CrashHistory = NO_CRASHES
  private process: ServiceProcess | undefined
  private lifeBeganAt = 0
  private portChanges = 0
  private wasHealthy = false
  /** Until it was healthy nobody has been told its address. */
  private mayChangePorts = true
  private readonly stopping = new AbortController()
  private readonly listeners = new Set<() => void>()
  private loop: Promise<void> = Promise.resolve()

  constructor(
    private current: WorkloadRecord,
    readonly log: OutputLog,
    private readonly context: SupervisorContext,
  ) {}

  get record(): WorkloadRecord {
    return this.current
  }

  /** Whether it keeps dying or was stopped, so that waiting for it is in vain. */
  get hasGivenUp(): boolean {
    return this.health === 'stopped' || (this.health === 'unhealthy' && isCrashLoop(this.crashes))
  }

  status(): WorkloadStatus {
    const { workloadId, environment, generation, service, commitSha, version, endpoints, restarts, startedAt } =
      this.current
    const { health, message } = this
    return {
      workloadId,
      environment,
      generation,
      service,
      commitSha,
      version,
      endpoints,
      restarts,
      startedAt,
      health,
      message,
    }
  }

  /** Starts it for the first time. @throws AppError `PLATFORM_START_FAILED`, `PLATFORM_DISK_FULL` and the like; nothing runs then. */
  async launch(): Promise<void> {
    this.supervise(await this.spawn())
  }

  /** Watches a process that an earlier manager left; starts it again when it has ended meanwhile. */
  adopt(found: { readonly pid: number; readonly startId: string }): void {
    const { table, clock } = this.context
    this.mayChangePorts = false
    this.supervise(adoptService({ ...found, table, clock, pollMs: ADOPTED_POLL_MS }))
  }

  /** Starts again what ended while no manager was there. */
  resume(): void {
    this.mayChangePorts = false
    this.current = { ...this.current, restarts: this.current.restarts + 1 }
    this.supervise(undefined)
  }

  /** Calls `listener` at each change of {@link status} until the returned function is called. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Ends it for good, with everything it started. Idempotent. */
  async stop(signal?: AbortSignal): Promise<void> {
    await this.release()
    await this.endProcesses(this.context.graceMs, signal)
    this.health = 'stopped'
    this.message = null
    this.tellListeners()
  }

  /** Stops watching; what runs keeps running. */
  async release(): Promise<void> {
    this.stopping.abort()
    this.process?.dispose()
    await this.loop
  }

  private supervise(first: ServiceProcess | undefined): void {
    this.loop = this.run(first).catch((error: unknown) =>
      this.setHealth('unhealthy', localFailure(`supervise ${this.current.service}`, error).message),
    )
  }

  private async run(first: ServiceProcess | undefined): Promise<void> {
    let next = first
    while (!this.stopping.signal.aborted) {
      if (next !== undefined) {
        const ended = await this.live(next)
        if (ended === undefined) return
        await this.afterDeath(ended)
      }
      if (this.stopping.signal.aborted) return
      next = await this.relaunch()
    }
  }

  /** Lives through one life of the process; undefined when supervision ended first. */
  private async live(
    service: ServiceProcess,
  ): Promise<{ readonly exit: ProcessExit; readonly healthyMs: number } | undefined> {
    this.process = service
    const watch = new HealthWatch(this.current, this.context, {
      onHealthy: () => {
        this.wasHealthy = true
        this.mayChangePorts = false
        this.setHealth('healthy', null)
      },
      onUnhealthy: (problem) => this.setHealth('unhealthy', problem),
      onHung: () => signalLeader(service.pid),
      onWaiting: (problem) => {
        if (this.health === 'starting') this.message = problem
      },
    })
    watch.start()
    const exit = await Promise.race([service.exited, aborted(this.stopping.signal)])
    await watch.stop()
    return exit === undefined ? undefined : { exit, healthyMs: watch.healthyMs() }
  }

  private async afterDeath(life: { readonly exit: ProcessExit; readonly healthyMs: number }): Promise<void> {
    const { lines } = await this.log.tail(EXIT_LOG_LINES, this.lifeBeganAt)
    // Grandchildren may still hold the port.
    await this.endProcesses(0, this.stopping.signal).catch(() => undefined)
    if (this.mayChangePorts && this.portChanges < MAX_PORT_CHANGES && lines.some((line) => PORT_TAKEN.test(line)))
      return this.changePorts()
    const nowMs = this.context.clock.monotonicMs()
    this.crashes = afterExit(this.crashes, { nowMs, healthyMs: life.healthyMs })
    this.current = { ...this.current, restarts: this.current.restarts + 1 }
    const message = describeCrashes(this.crashes, life.exit, {
      nowMs,
      lastLine: lines.findLast((line) => line.trim() !== ''),
    })
    this.setHealth(this.wasHealthy || isCrashLoop(this.crashes) ? 'unhealthy' : 'starting', message)
    await this.pause(restartDelayMs(this.crashes, this.context.random))
  }

  /** Somebody took the port between our look and the service's own `listen`. It was never healthy, so nobody knows its address yet. */
  private async changePorts(): Promise<void> {
    this.portChanges += 1
    const old = this.current.endpoints.map((endpoint) => endpoint.port)
    const ports = await this.context.ports.reserve(old.length)
    this.current = {
      ...this.current,
      endpoints: this.current.endpoints.map((endpoint, index) => ({
        ...endpoint,
        port: ports[index] ?? endpoint.port,
      })),
    }
    this.context.ports.release(old)
  }

  private async relaunch(): Promise<ServiceProcess | undefined> {
    try {
      return await this.spawn()
    } catch (error) {
      const nowMs = this.context.clock.monotonicMs()
      this.crashes = afterExit(this.crashes, { nowMs, healthyMs: 0 })
      this.setHealth('unhealthy', localFailure(`start ${this.current.service} again`, error).message)
      await this.pause(restartDelayMs(this.crashes, this.context.random))
      return undefined
    }
  }

  /** State with the marker, process, state with the pid: a crash in between leaves a process that its marker gives away. */
  private async spawn(): Promise<ServiceProcess> {
    const { context, current } = this
    await this.save({ ...current, process: null })
    this.lifeBeganAt = await this.log.end()
    const service = await spawnService({
      command: current.command,
      workingDirectory: current.workingDirectory,
      environment: processEnvironment({
        host: context.host,
        variables: current.variables,
        endpoints: current.endpoints,
        marker: current.marker,
      }),
      log: this.log,
      table: context.table,
    }).catch((error: unknown) => {
      throw startFailure(current, error)
    })
    this.process = service
    try {
      await this.save({ ...this.current, launched: true, process: { pid: service.pid, startId: service.startId } })
    } catch (error) {
      await this.endProcesses(0).catch(() => undefined)
      throw error
    }
    return service
  }

  private async save(record: WorkloadRecord): Promise<void> {
    await this.context.save(record)
    this.current = record
  }

  private async endProcesses(graceMs: number, signal?: AbortSignal): Promise<void> {
    const { table, clock } = this.context
    const leader = this.process ?? this.current.process
    await stopProcesses({ marker: this.current.marker, leader }, { table, clock, graceMs, signal })
  }

  private async pause(ms: number): Promise<void> {
    await this.context.clock.sleep(ms, this.stopping.signal).catch(() => undefined)
  }

  private setHealth(health: Health, message: string | null): void {
    if (health === this.health && message === this.message) return
    this.health = health
    this.message = message
    this.tellListeners()
    this.context.onChange(this.current.environment)
  }

  private tellListeners(): void {
    for (const listener of this.listeners) listener()
  }
}

function startFailure(record: WorkloadRecord, error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  const program = JSON.stringify(record.command[0])
  if (code === 'ENOENT') {
    return failure(
      'PLATFORM_START_FAILED',
      `could not start ${record.service}: there is no program ${program} in its folder or on PATH`,
      { cause: error },
    )
  }
  if (code === 'EACCES') {
    return failure(
      'PLATFORM_START_FAILED',
      `could not start ${record.service}: ${program} may not be executed; make it executable in git`,
      { cause: error },
    )
  }
  return localFailure(`start ${record.service}`, error)
}

/** The leader does not answer: it is killed, and started again like any other that died. */
function signalLeader(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended on its own.
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined)
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }))
}
