import { Type, type Static } from 'typebox'
import { CommitSha, Instant, ServiceName, TenantName } from '../names.js'

const strict = { additionalProperties: false } as const

/** `superseded`: a newer push took over before the run ended. `interrupted`: the manager died; a later run went on. */
export const RUN_STATES = ['running', 'succeeded', 'failed', 'superseded', 'interrupted'] as const
export const RunState = Type.Enum(RUN_STATES)
export type RunState = (typeof RUN_STATES)[number]

/** One step of a run, for the whole environment or for one service. */
export const RunStep = Type.Object(
  {
    name: Type.String({
      description:
        'prepare, register-tenant, generate-secrets, deploy, wait-healthy, register-services, configure-routes, verify, report, tombstone, deregister, drain, …',
    }),
    service: Type.Optional(ServiceName),
    state: Type.Union([
      Type.Literal('pending'),
      Type.Literal('running'),
      Type.Literal('succeeded'),
      Type.Literal('failed'),
      Type.Literal('skipped'),
    ]),
    startedAt: Type.Union([Instant, Type.Null()]),
    finishedAt: Type.Union([Instant, Type.Null()]),
    message: Type.Union([Type.String(), Type.Null()], { description: 'cause of a failure, in one readable line' }),
  },
  strict,
)
export type RunStep = Static<typeof RunStep>

/** One execution of deploy, sleep or teardown. */
export const Run = Type.Object(
  {
    runId: Type.String(),
    environment: TenantName,
    generation: Type.Integer(),
    kind: Type.Union([Type.Literal('deploy'), Type.Literal('sleep'), Type.Literal('teardown')]),
    state: RunState,
    trigger: Type.String({
      description: 'push, image, retry, base-moved, health, request, idle, wake, restart, branch-deleted, …',
    }),
    commits: Type.Array(Type.Object({ repository: Type.String(), commitSha: CommitSha }, strict)),
    startedAt: Instant,
    finishedAt: Type.Union([Instant, Type.Null()]),
    steps: Type.Array(RunStep),
    error: Type.Union([Type.Null(), Type.Object({ code: Type.String(), message: Type.String() }, strict)]),
  },
  { $id: 'Run', additionalProperties: false },
)
export type Run = Static<typeof Run>

/** One line of a log. `at` is when it was read. */
export const LogLine = Type.Object(
  {
    at: Instant,
    source: Type.String({ description: 'step or service' }),
    text: Type.String(),
  },
  { $id: 'LogLine', additionalProperties: false },
)
export type LogLine = Static<typeof LogLine>
