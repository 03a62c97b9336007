import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'
import { CommitSha, Endpoint, ServiceName, TenantName } from '@tributary/contract'

const strict = { additionalProperties: false } as const

/** All that it takes to run a workload again, to find its processes, and to know them from others. */
export const WorkloadRecord = Type.Object(
  {
    format: Type.Literal(1),
    workloadId: Type.String(),
    marker: Type.String(),
    environment: TenantName,
    generation: Type.Integer(),
    service: ServiceName,
    commitSha: CommitSha,
    version: Type.String(),
    repository: Type.String(),
    checkout: Type.String(),
    workingDirectory: Type.String(),
    command: Type.Array(Type.String(), { minItems: 1 }),
    /** What the process gets besides the base environment and its ports. May hold secrets. */
    variables: Type.Record(Type.String(), Type.String()),
    endpoints: Type.Array(Endpoint),
    readinessPath: Type.Union([Type.String(), Type.Null()]),
    livenessPath: Type.Union([Type.String(), Type.Null()]),
    startedAt: Type.Integer(),
    restarts: Type.Integer(),
    /** False until the first process was started: what a crash leaves before that is removed, not adopted. */
    launched: Type.Boolean(),
    process: Type.Union([Type.Null(), Type.Object({ pid: Type.Integer(), startId: Type.String() }, strict)]),
  },
  strict,
)
export type WorkloadRecord = Static<typeof WorkloadRecord>

/** The record in a file's text; undefined when it is not one. */
export function parseWorkloadRecord(text: string): WorkloadRecord | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Value.Check(WorkloadRecord, value) ? value : undefined
  } catch {
    return undefined
  }
}
