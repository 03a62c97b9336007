import type { TokenRole } from '@tributary/contract'

/** Who asks, as its token says. `tenant` is there for, and only for, the role `tenant`. */
export interface Principal {
  readonly tokenId: string
  readonly name: string
  readonly role: TokenRole
  readonly tenant?: string
  /** Epoch milliseconds after which the token is worth nothing; absent when it does not expire. */
  readonly expiresAt?: number
  /** The person for whom the token acts, as the request says. It gives no rights. */
  readonly onBehalfOf?: string
}

/**
 * What can be asked for.
 *
 * | action | admin | deployer | viewer | tenant |
 * | --- | --- | --- | --- | --- |
 * | `read` tenants, entries, documents, history, audit log, differences, subscriptions, convergence | yes | yes | yes | no |
 * | `read-view`: view, stream, poll, route table; report on a subscription | yes | yes | yes | its own |
 * | `write` tenants, entries, documents | yes | yes | no | no |
 * | `register-instance` under a lease | yes | yes | no | its own |
 * | `manage-tenant-tokens` | yes | yes | no | no |
 * | `manage-tokens` of every role | yes | no | no | no |
 * | `back-up` everything, hashes of tokens included | yes | no | no | no |
 * | `act-on-behalf-of` a person, who is then named in history | yes | yes | no | no |
 */
export type Action =
  | 'read'
  | 'read-view'
  | 'write'
  | 'register-instance'
  | 'manage-tenant-tokens'
  | 'manage-tokens'
  | 'back-up'
  | 'act-on-behalf-of'

const DEPLOYER_ACTIONS = [
  'read',
  'read-view',
  'write',
  'register-instance',
  'manage-tenant-tokens',
  'act-on-behalf-of',
] as const

const ALLOWED: Readonly<Record<TokenRole, ReadonlySet<Action>>> = {
  admin: new Set<Action>([...DEPLOYER_ACTIONS, 'manage-tokens', 'back-up']),
  deployer: new Set<Action>(DEPLOYER_ACTIONS),
  viewer: new Set<Action>(['read', 'read-view']),
  tenant: new Set<Action>(['read-view', 'register-instance']),
}

/**
 * Whether `principal` may do `action`, on `tenant` where the action is about one. A tenant token may act on its own tenant only,
 * and on nothing when no tenant is named. The routing context of a request plays no part.
 */
export function may(principal: Principal, action: Action, tenant?: string): boolean {
  if (!ALLOWED[principal.role].has(action)) return false
  return principal.role !== 'tenant' || (tenant !== undefined && principal.tenant === tenant)
}

/** The actor of a write as history shows it. */
export function actorOf(principal: Principal): string {
  return `${principal.name} (${principal.role})`
}
