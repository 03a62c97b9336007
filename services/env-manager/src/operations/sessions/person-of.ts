import type { PersonRole } from '@tributary/contract'
import { nameOfClaims, roleOfClaims } from '../../domain/person-claims.js'
import type { RoleMapping } from '../../domain/sign-in-config.js'
import { failure } from '../../errors.js'
import type { VouchedPerson } from '../../ports/identity-provider.js'

/** A person whom a provider vouches for, as they sign in. */
export interface PersonSignIn {
  readonly by: 'oidc'
  readonly name: string
  /** The provider's `sub`. */
  readonly subject: string
  readonly role: PersonRole
  readonly refreshToken?: string
}

/** The person of the provider's claims, with their role. @throws AppError `OIDC_ROLE_MISSING` */
export function personOf(roles: RoleMapping, { claims, refreshToken }: VouchedPerson): PersonSignIn {
  const role = roleOfClaims(roles, claims)
  const name = nameOfClaims(claims)
  const again = refreshToken === undefined ? {} : { refreshToken }
  if (role !== undefined) return { by: 'oidc', name, subject: claims.sub, role, ...again }
  throw failure(
    'OIDC_ROLE_MISSING',
    `Signing in as ${name}: the claim "${roles.claim}" gives no role; ask for one, or have it added to signIn.oidc.roles`,
  )
}
