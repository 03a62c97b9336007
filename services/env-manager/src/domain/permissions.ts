import {
  PERMISSIONS,
  PERSON_ROLES,
  type GrantedPermission,
  type Permission,
  type PermissionExtent,
  type PersonRole,
  type TokenRole,
} from '@tributary/contract'

/**
 * Who may do what (docs/adr/0015). `features`: on environments of feature branches and their tenants only.
 *
 * | permission | viewer | developer | release-manager | admin |
 * | --- | --- | --- | --- | --- |
 * | read | everything | everything | everything | everything |
 * | change-environment | nothing | features | everything | everything |
 * | delete-environment | nothing | features | everything | everything |
 * | change-config | nothing | features | everything | everything |
 * | send-hints | nothing | everything | everything | everything |
 * | report-requests | everything | everything | everything | everything |
 * | approve-removals | nothing | nothing | everything | everything |
 * | manage-tokens | nothing | nothing | nothing | everything |
 */
const EXTENTS: Readonly<Record<Permission, Readonly<Record<PersonRole, PermissionExtent>>>> = {
  read: extents('everything', 'everything', 'everything'),
  'change-environment': extents('nothing', 'features', 'everything'),
  'delete-environment': extents('nothing', 'features', 'everything'),
  'change-config': extents('nothing', 'features', 'everything'),
  'send-hints': extents('nothing', 'everything', 'everything'),
  // Whoever reaches a preview does the same by asking for it.
  'report-requests': extents('everything', 'everything', 'everything'),
  'approve-removals': extents('nothing', 'nothing', 'everything'),
  'manage-tokens': extents('nothing', 'nothing', 'nothing'),
}

/** An admin may do everything. */
function extents(
  viewer: PermissionExtent,
  developer: PermissionExtent,
  releaseManager: PermissionExtent,
): Readonly<Record<PersonRole, PermissionExtent>> {
  return { viewer, developer, 'release-manager': releaseManager, admin: 'everything' }
}

/** On what a role holds a permission. */
export function extentOf(role: PersonRole, permission: Permission): PermissionExtent {
  return EXTENTS[permission][role]
}

/** Whether a role may do something on a thing of a feature branch, or on one that everybody shares. */
export function isPermitted(role: PersonRole, permission: Permission, subject: 'feature' | 'shared'): boolean {
  const extent = extentOf(role, permission)
  return extent === 'everything' || (extent === 'features' && subject === 'feature')
}

/** The weakest role that may do it. */
export function neededRole(permission: Permission, subject: 'feature' | 'shared'): PersonRole {
  return PERSON_ROLES.find((role) => isPermitted(role, permission, subject)) ?? 'admin'
}

/** Everything that a role may do, in the order of the contract. */
export function permissionsOf(role: PersonRole): GrantedPermission[] {
  return PERMISSIONS.map((permission) => ({
    permission,
    extent: extentOf(role, permission),
    neededRole: neededRole(permission, 'shared'),
  }))
}

const ROLE_OF_TOKEN: Readonly<Record<TokenRole, PersonRole | undefined>> = {
  admin: 'admin',
  deployer: 'release-manager',
  viewer: 'viewer',
  tenant: undefined,
}

/** What a token of the config center may do here; undefined: nothing, as a service's own token. */
export function roleOfToken(role: TokenRole): PersonRole | undefined {
  return ROLE_OF_TOKEN[role]
}

/** The strongest of some roles; undefined when there is none. */
export function strongestRole(roles: Iterable<PersonRole>): PersonRole | undefined {
  const held = new Set(roles)
  return [...PERSON_ROLES].reverse().find((role) => held.has(role))
}
