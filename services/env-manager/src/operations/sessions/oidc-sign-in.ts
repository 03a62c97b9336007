import { randomBytes } from 'node:crypto'
import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { safeReturnTo } from '../../domain/return-to.js'
import type { RoleMapping } from '../../domain/sign-in-config.js'
import { failure } from '../../errors.js'
import type { IdentityProvider, SignInChecks } from '../../ports/identity-provider.js'
import { ensureSignInKey } from '../state/secret-vault.js'
import { personOf, type PersonSignIn } from './person-of.js'
import { seal, unseal } from './session-secret.js'
import type { SessionDependencies } from './sessions.js'

/** How long a person may take at the provider. */
export const SIGN_IN_MS = 600_000
const PURPOSE = 'sign in'

const Pending = Type.Object({
  state: Type.String(),
  nonce: Type.String(),
  verifier: Type.String(),
  returnTo: Type.String(),
  expiresAt: Type.Number(),
})

/** What signing in at a provider works with. */
export interface OidcDependencies extends SessionDependencies {
  readonly provider: IdentityProvider
  readonly roles: RoleMapping
  /** How long a role holds before the provider is asked again. */
  readonly roleMinutes: number
}

/**
 * Begins to sign somebody in. `pending` is for the browser to bring back: nobody else can finish this sign-in, and the server keeps nothing
 * of those that are never finished.
 */
export async function beginOidcSignIn(
  deps: OidcDependencies,
  returnTo: string | undefined,
): Promise<{ readonly url: URL; readonly pending: string }> {
  const checks: SignInChecks = { state: random(), nonce: random(), verifier: random() }
  const url = await deps.provider.begin(checks)
  const expiresAt = deps.clock.now() + SIGN_IN_MS
  const text = JSON.stringify({ ...checks, returnTo: safeReturnTo(returnTo), expiresAt })
  return { url, pending: seal(await ensureSignInKey(deps.store), PURPOSE, text) }
}

/**
 * Finds out who came back from the provider, and with which role.
 * @throws AppError `OIDC_STATE_INVALID`, `OIDC_SIGN_IN_REFUSED`, `OIDC_ROLE_MISSING`, `OIDC_PROVIDER_UNREACHABLE`
 */
export async function finishOidcSignIn(
  deps: OidcDependencies,
  { query, pending }: { readonly query: URLSearchParams; readonly pending: string | undefined },
): Promise<{ readonly signIn: PersonSignIn; readonly returnTo: string }> {
  const { returnTo, ...checks } = await openPending(deps, pending, query)
  return { signIn: personOf(deps.roles, await deps.provider.finish(query, checks)), returnTo }
}

async function openPending(
  { store, clock }: OidcDependencies,
  pending: string | undefined,
  query: URLSearchParams,
): Promise<SignInChecks & { readonly returnTo: string }> {
  const text = pending === undefined ? undefined : unseal(await ensureSignInKey(store), PURPOSE, pending)
  const parsed: unknown = text === undefined ? undefined : JSON.parse(text)
  const known = Value.Check(Pending, parsed) && parsed.expiresAt > clock.now() ? parsed : undefined
  if (known !== undefined && query.get('state') === known.state) return known
  throw failure(
    'OIDC_STATE_INVALID',
    'Signing in: this browser has not begun this sign-in, or took longer than ten minutes; begin again',
  )
}

function random(): string {
  return randomBytes(32).toString('base64url')
}
