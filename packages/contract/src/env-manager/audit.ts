import { Type, type Static } from 'typebox'
import { Instant } from '../names.js'
import { PersonRole } from './session.js'

const strict = { additionalProperties: false } as const

/** Who asked for what. Reads are not kept; what was refused is. Config writes stand in the config center’s history. */
export const AuditRecord = Type.Object(
  {
    auditId: Type.String(),
    at: Instant,
    actor: Type.Object(
      {
        name: Type.String(),
        role: PersonRole,
        by: Type.Union([Type.Literal('oidc'), Type.Literal('token'), Type.Literal('bearer')]),
        subject: Type.Optional(
          Type.String({
            description:
              'which person (the provider’s `sub`) or token (its id): names may be equal; records of old lack it',
          }),
        ),
      },
      strict,
    ),
    action: Type.String({ description: 'e.g. environment.sleep, environment.delete, run.rerun, session.sign-in' }),
    environment: Type.Union([Type.String(), Type.Null()]),
    detail: Type.Union([Type.String(), Type.Null()], { description: 'e.g. the service or the run' }),
    outcome: Type.Union([Type.Literal('accepted'), Type.Literal('refused'), Type.Literal('failed')]),
    status: Type.Integer({ description: 'HTTP status that was answered' }),
    address: Type.String({ description: 'from where' }),
  },
  { $id: 'AuditRecord', additionalProperties: false },
)
export type AuditRecord = Static<typeof AuditRecord>
