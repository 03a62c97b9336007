import { createHash, randomUUID } from 'node:crypto'
import type { Endpoint } from '@tributary/contract'
import { failure } from '../../errors.js'
import type { WorkloadSpec } from '../../ports/platform.js'
import { commandWords } from './command-line.js'
import { workloadVariables } from './workload-environment.js'
import type { WorkloadRecord } from './workload-record.js'

/** Services listen here only: previews of a laptop are not for its network. */
export const LOOPBACK = '127.0.0.1'

/** What a spec means on this platform, before anything is made. */
export interface WorkloadPlan {
  readonly workloadId: string
  readonly command: readonly string[]
  readonly build: readonly string[] | undefined
  readonly variables: Readonly<Record<string, string>>
  readonly ports: readonly Pick<Endpoint, 'name' | 'protocol'>[]
}

/**
 * Pure but for its errors. The id is the same for the same environment, generation, service, commit and variables: other variables
 * (a new token, a changed secret) are another workload, which replaces the first when it is healthy.
 * @throws AppError `PLATFORM_UNSUPPORTED` without `run.local`, `PLATFORM_COMMAND_INVALID`, `PLATFORM_START_FAILED`.
 */
export function planWorkload(spec: WorkloadSpec): WorkloadPlan {
  const local = spec.definition.run?.local
  if (local === undefined) {
    throw failure(
      'PLATFORM_UNSUPPORTED',
      `could not start ${spec.service}: the local platform runs from source, and its service.yaml has no run.local.command`,
    )
  }
  const command = commandWords(local.command, spec.version, 'run.local.command')
  const build = local.build === undefined ? undefined : commandWords(local.build, spec.version, 'run.local.build')
  const variables = workloadVariables(spec)
  const ports = (spec.definition.ports ?? [{ name: 'http' }]).map(({ name, ...port }) => ({
    name,
    protocol: 'protocol' in port && port.protocol !== undefined ? port.protocol : ('http' as const),
  }))
  const fingerprint = fingerprintOf([
    command,
    build ?? [],
    Object.entries(variables).sort(([left], [right]) => (left < right ? -1 : 1)),
    ports,
    spec.directory,
    spec.repository,
  ])
  const workloadId = [spec.environment, spec.generation, spec.service, spec.commitSha.slice(0, 12), fingerprint].join(
    '.',
  )
  return { workloadId, command, build, variables, ports }
}

function fingerprintOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 8)
}

/** The prefix of the markers of an environment's processes, or of one service's. */
export function markerPrefix(instance: string, environment: string, service?: string): string {
  return [instance, environment, ...(service === undefined ? [] : [service]), ''].join('/')
}

/** The record of a workload that is about to be made. */
export function newRecord(
  spec: WorkloadSpec,
  plan: WorkloadPlan,
  more: {
    readonly instance: string
    readonly checkout: string
    /** Folder of the SDK's snapshots; copies of a service follow one another in it. */
    readonly snapshots: string
    readonly ports: readonly number[]
    readonly startedAt: number
  },
): WorkloadRecord {
  const { environment, generation, service, commitSha, version, repository, definition } = spec
  return {
    format: 1,
    workloadId: plan.workloadId,
    marker: `${markerPrefix(more.instance, environment, service)}${randomUUID()}`,
    environment,
    generation,
    service,
    commitSha,
    version,
    repository,
    checkout: more.checkout,
    workingDirectory: more.checkout,
    command: [...plan.command],
    variables: { TRIBUTARY_SNAPSHOT_DIR: more.snapshots, ...plan.variables },
    endpoints: plan.ports.map((port, index) => ({ ...port, host: LOOPBACK, port: more.ports[index] ?? 0 })),
    readinessPath: definition.health?.readiness ?? null,
    livenessPath: definition.health?.liveness ?? null,
    startedAt: more.startedAt,
    restarts: 0,
    launched: false,
    process: null,
  }
}
