import * as oidc from 'openid-client'
import type { OidcConfig } from '../../domain/sign-in-config.js'
import type { IdentityProvider, PersonClaims, VouchedPerson } from '../../ports/identity-provider.js'
import { failure } from '../../errors.js'
import { toSignInError } from './to-sign-in-error.js'

/** What a provider is reached with. */
export interface OpenIdProviderOptions {
  readonly config: OidcConfig
  /** Absent: a public client. */
  readonly clientSecret?: string | undefined
  /** Where the provider sends browsers back to. It has to be registered there. */
  readonly redirectUri: string
}

const TIMEOUT_SECONDS = 10

/** Any provider with discovery. It is asked for its configuration at the first sign-in, and again after a failure. */
export function createOpenIdProvider(options: OpenIdProviderOptions): IdentityProvider {
  let discovered: Promise<oidc.Configuration> | undefined
  const configuration = async (): Promise<oidc.Configuration> => {
    discovered ??= discover(options)
    try {
      return await discovered
    } catch (error) {
      discovered = undefined
      throw toSignInError(error)
    }
  }
  return {
    async begin({ state, nonce, verifier }) {
      const { scopes } = options.config
      return oidc.buildAuthorizationUrl(await configuration(), {
        redirect_uri: options.redirectUri,
        scope: scopes.join(' '),
        // OpenID Connect Core 11: the scope counts only with consent.
        ...(scopes.includes('offline_access') ? { prompt: 'consent' } : {}),
        state,
        nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      })
    },
    async finish(query, { state, nonce, verifier }) {
      const provider = await configuration()
      const current = new URL(`${options.redirectUri}?${query.toString()}`)
      const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true }
      try {
        const tokens = await oidc.authorizationCodeGrant(provider, current, checks)
        const claims = tokens.claims()
        if (claims === undefined) throw new TypeError('a checked answer has an ID token')
        return await vouched(provider, { tokens, claims, needed: options.config.roles.claim })
      } catch (error) {
        throw toSignInError(error)
      }
    },
    async refresh(refreshToken, subject) {
      const provider = await configuration()
      try {
        const tokens = await oidc.refreshTokenGrant(provider, refreshToken)
        // Not every provider says again who it is; then the refresh token does, and the answer about the person is checked against it.
        const claims = tokens.claims() ?? { sub: subject }
        if (claims.sub !== subject)
          throw failure('OIDC_SIGN_IN_REFUSED', 'Asking for a role: the provider answered about somebody else')
        return await vouched(provider, { tokens, claims, needed: options.config.roles.claim })
      } catch (error) {
        throw toSignInError(error)
      }
    },
  }
}

async function discover({ config, clientSecret }: OpenIdProviderOptions): Promise<oidc.Configuration> {
  const issuer = new URL(config.issuer)
  // The platform's configuration allows http for a provider on this machine only.
  const execute = issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : []
  const authentication = clientSecret === undefined ? oidc.None() : undefined
  return oidc.discovery(issuer, config.clientId, clientSecret, authentication, { execute, timeout: TIMEOUT_SECONDS })
}

/** Providers differ in whether a claim stands in the ID token or is asked for; the subject of both must be the same. */
async function vouched(provider: oidc.Configuration, { tokens, claims, needed }: Answer): Promise<VouchedPerson> {
  const asked = provider.serverMetadata().userinfo_endpoint !== undefined && !(needed in claims && 'name' in claims)
  const more = asked ? await oidc.fetchUserInfo(provider, tokens.access_token, claims.sub) : {}
  const again = tokens.refresh_token === undefined ? {} : { refreshToken: tokens.refresh_token }
  return { claims: { ...claims, ...more }, ...again }
}

interface Answer {
  readonly tokens: oidc.TokenEndpointResponse
  readonly claims: PersonClaims
  /** The claim that gives roles. */
  readonly needed: string
}
