import { Type, type Static } from 'typebox'
import { CommitSha, ServiceName, TenantName } from '../names.js'

const strict = { additionalProperties: false } as const

/** One thing that a reconcile would do, in order, with the reason in words. */
export const PlanAction = Type.Object(
  {
    action: Type.Union([
      Type.Literal('create-environment'),
      Type.Literal('set-base'),
      Type.Literal('deploy-service'),
      Type.Literal('restart-service'),
      Type.Literal('remove-service'),
      Type.Literal('stop-service'),
      Type.Literal('mask-service'),
      Type.Literal('unmask-service'),
      Type.Literal('teardown'),
      Type.Literal('wait'),
    ]),
    service: Type.Optional(ServiceName),
    commitSha: Type.Optional(CommitSha),
    reason: Type.String(),
  },
  strict,
)
export type PlanAction = Static<typeof PlanAction>

/** What a reconcile of one environment would do now. Empty: it is as it should be. */
export const Plan = Type.Object(
  { environment: TenantName, branch: Type.String(), actions: Type.Array(PlanAction) },
  { $id: 'Plan', additionalProperties: false },
)
export type Plan = Static<typeof Plan>
