import * as oidc from 'openid-client'
import type { OidcConfig } from '../../domain/sign-in-config.js'
import type { IdentityProvider, PersonClaims } from '../../ports/identity-provider.js'
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
      return oidc.buildAuthorizationUrl(await configuration(), {
        redirect_uri: options.redirectUri,
        scope: options.config.scopes.join(' '),
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
        return await claimsOf(provider, tokens, options.config.roles.claim)
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
async function claimsOf(
  provider: oidc.Configuration,
  tokens: oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers,
  needed: string,
): Promise<PersonClaims> {
  const claims = tokens.claims()
  if (claims === undefined) throw new TypeError('a checked answer has an ID token')
  const asked = provider.serverMetadata().userinfo_endpoint !== undefined && !(needed in claims && 'name' in claims)
  return asked ? { ...claims, ...(await oidc.fetchUserInfo(provider, tokens.access_token, claims.sub)) } : { ...claims }
}
