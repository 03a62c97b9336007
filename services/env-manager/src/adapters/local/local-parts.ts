import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock, type Clock } from '@tributary/kit'
import { failure } from '../../errors.js'
import type { SourceControl } from '../../ports/source-control.js'
import { ChangeFeed } from '../change-feed.js'
import { Checkouts } from './checkouts.js'
import { DEFAULT_MAX_LOG_BYTES, OutputLog } from './output-log.js'
import { DEFAULT_PORT_RANGE, PortAllocator, type PortRange } from './port-allocator.js'
import { createProcessTable, type ProcessTable } from './process-table.js'
import { SpaceLayout } from './space-layout.js'
import { WorkloadFiles } from './workload-files.js'
import { LOOPBACK } from './workload-plan.js'
import type { WorkloadRecord } from './workload-record.js'
import { WorkloadSet } from './workload-set.js'
import { WorkloadSupervisor, type SupervisorContext } from './workload-supervisor.js'

/** What `createLocalPlatform` takes. */
export interface LocalPlatformOptions {
  /** Spaces are in `<dataDirectory>/environments`. One process owns it. */
  readonly dataDirectory: string
  /** Name of this installation on the machine: marks its processes. Letters, digits, `.`, `_`, `-`. */
  readonly instance: string
  readonly sourceControl: SourceControl
  /** The manager's own environment (`process.env`); services get PATH, HOME and a few more of it. */
  readonly host: Readonly<Record<string, string | undefined>>
  /** Default 20000 to 29999. */
  readonly portRange?: PortRange
  readonly clock?: Clock
  /** Uniform in [0, 1). Default `Math.random`. */
  readonly random?: () => number
  /** Between the polite request to end and the kill. Default 5,000. */
  readonly graceMs?: number
  /** Default 15 minutes. */
  readonly buildTimeoutMs?: number
  /** Bound of a workload's log file. Default 5 MiB. */
  readonly maxLogBytes?: number
}

/** The parts that the platform's operations share. */
export interface LocalParts {
  readonly instance: string
  readonly host: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly graceMs: number
  readonly buildTimeoutMs: number
  readonly layout: SpaceLayout
  readonly files: WorkloadFiles
  readonly checkouts: Checkouts
  readonly ports: PortAllocator
  readonly table: ProcessTable
  readonly workloads: WorkloadSet
  readonly changes: ChangeFeed
  /** A supervisor for a record; it does nothing until it is told to. */
  readonly supervise: (record: WorkloadRecord) => WorkloadSupervisor
}

/** Puts the parts together. @throws AppError `PLATFORM_DATA_UNWRITABLE`, `ARGUMENT_INVALID`. */
export function createLocalParts(options: LocalPlatformOptions): LocalParts {
  if (!/^[A-Za-z0-9._-]{1,63}$/.test(options.instance)) {
    throw failure(
      'ARGUMENT_INVALID',
      `the instance name ${JSON.stringify(options.instance)} may have letters, digits, dots, "_" and "-" only`,
    )
  }
  const clock = options.clock ?? systemClock
  const random = options.random ?? Math.random
  const graceMs = options.graceMs ?? 5000
  const layout = new SpaceLayout(environmentsFolder(options.dataDirectory))
  const files = new WorkloadFiles(layout)
  const ports = new PortAllocator(options.portRange ?? DEFAULT_PORT_RANGE, LOOPBACK, random)
  const table = createProcessTable()
  const changes = new ChangeFeed()
  const onChange = (environment: string): void => changes.publish(environment)
  const context: SupervisorContext = {
    table,
    clock,
    random,
    ports,
    host: options.host,
    graceMs,
    save: (record) => files.save(record),
    onChange,
  }
  const logOf = (record: WorkloadRecord): OutputLog =>
    new OutputLog(layout.log(record.environment, record.workloadId), options.maxLogBytes ?? DEFAULT_MAX_LOG_BYTES)
  return {
    instance: options.instance,
    host: options.host,
    clock,
    graceMs,
    buildTimeoutMs: options.buildTimeoutMs ?? 15 * 60_000,
    layout,
    files,
    checkouts: new Checkouts(layout, options.sourceControl),
    ports,
    table,
    workloads: new WorkloadSet(),
    changes,
    supervise: (record) => new WorkloadSupervisor(record, logOf(record), context),
  }
}

/** Made at once, and with symlinks resolved: git and `/proc` write paths that way. */
function environmentsFolder(dataDirectory: string): string {
  const path = join(dataDirectory, 'environments')
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    return realpathSync(path)
  } catch (cause) {
    throw failure(
      'PLATFORM_DATA_UNWRITABLE',
      `the data folder ${dataDirectory} cannot be written; check its owner and permissions`,
      { cause },
    )
  }
}
