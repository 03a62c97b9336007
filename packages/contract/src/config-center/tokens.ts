import { Type, type Static } from 'typebox'
import { Instant, TenantName } from '../names.js'

/**
 * | role | may |
 * | --- | --- |
 * | admin | everything |
 * | deployer | read everything; write tenants, entries, documents; make and revoke tenant tokens |
 * | viewer | read everything but tokens |
 * | tenant | read its own view, stream and table; register its own leased instances; report on its own subscriptions |
 */
export const TOKEN_ROLES = ['admin', 'deployer', 'viewer', 'tenant'] as const
export const TokenRole = Type.Enum(TOKEN_ROLES)
export type TokenRole = (typeof TOKEN_ROLES)[number]

/** A token to be made. `tenant` is required for, and only for, the role `tenant`. */
export const CreateToken = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 63, description: 'shown as the actor in history' }),
    role: TokenRole,
    tenant: Type.Optional(TenantName),
    expiresInSeconds: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  { $id: 'CreateToken', additionalProperties: false },
)
export type CreateToken = Static<typeof CreateToken>

/** A token without its secret. */
export const TokenInfo = Type.Object(
  {
    tokenId: Type.String(),
    name: Type.String(),
    role: TokenRole,
    tenant: Type.Optional(TenantName),
    createdAt: Instant,
    expiresAt: Type.Optional(Instant),
  },
  { $id: 'TokenInfo', additionalProperties: false },
)
export type TokenInfo = Static<typeof TokenInfo>

/** Answer of a creation: the only time that the secret is shown; the store keeps its SHA-256. */
export const CreatedToken = Type.Object(
  { token: Type.String(), info: TokenInfo },
  { $id: 'CreatedToken', additionalProperties: false },
)
export type CreatedToken = Static<typeof CreatedToken>
