import type { PersonRole } from '@tributary/contract'
import { strongestRole } from './permissions.js'
import type { RoleMapping } from './sign-in-config.js'

const MAX_NAME_LENGTH = 120
type Claims = Readonly<Record<string, unknown>>

/** The role that a person's claims give: the strongest of those that their values map to. Undefined: none. */
export function roleOfClaims({ claim, values, otherwise }: RoleMapping, claims: Claims): PersonRole | undefined {
  const held = valuesOf(Object.hasOwn(claims, claim) ? claims[claim] : undefined)
  const roles = held.flatMap((value) => {
    const role = Object.hasOwn(values, value) ? values[value] : undefined
    return role === undefined ? [] : [role]
  })
  return strongestRole(roles) ?? otherwise ?? undefined
}

/** What a person is called in history and audit log: the first of these claims that says anything. */
export function nameOfClaims(claims: Claims & { readonly sub: string }): string {
  const { name, preferred_username: username, email, sub } = claims
  const said = [name, username, email, sub].map(readable).find((text) => text !== '')
  return said ?? 'somebody'
}

function valuesOf(claim: unknown): readonly string[] {
  const list = Array.isArray(claim) ? claim : [claim]
  return list.filter((value) => typeof value === 'string')
}

function readable(claim: unknown): string {
  if (typeof claim !== 'string') return ''
  return (
    claim
      .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ')
      .trim()
      .slice(0, MAX_NAME_LENGTH)
      // A pair that was cut in two is no text: it could not be said in a header.
      .replace(/[\ud800-\udbff]$/, '')
      .trim()
  )
}
