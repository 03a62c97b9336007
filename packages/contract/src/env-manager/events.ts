import { Type, type Static } from 'typebox'

const strict = { additionalProperties: false } as const

/**
 * | kind | name | revision |
 * | --- | --- | --- |
 * | environment | the environment’s | of the env-manager’s store |
 * | run | the run’s id; `environment` says whose | of the env-manager’s store |
 * | config | the tenant’s | of the config center’s store |
 * | platform | queue, breaker, repositories | of the env-manager’s store, or 0 |
 */
export const CHANGE_KINDS = ['environment', 'run', 'config', 'platform'] as const
export const ChangeKind = Type.Enum(CHANGE_KINDS)
export type ChangeKind = (typeof CHANGE_KINDS)[number]

/** Something changed: what it is called and at which revision, so that whoever shows it reads it again. */
export const ChangeEvent = Type.Object(
  {
    kind: ChangeKind,
    name: Type.String(),
    revision: Type.String(),
    gone: Type.Boolean({ description: 'it is no longer there' }),
    environment: Type.Optional(Type.String({ description: 'of a run' })),
  },
  { $id: 'ChangeEvent', additionalProperties: false },
)
export type ChangeEvent = Static<typeof ChangeEvent>

/** Why a client has to read everything again: it is new, it was away too long, it was too slow, or it spoke to another process. */
export const EventReset = Type.Object(
  { reason: Type.Union([Type.Literal('connected'), Type.Literal('history_gone'), Type.Literal('too_slow')]) },
  strict,
)
export type EventReset = Static<typeof EventReset>
