import { AppError } from '@tributary/kit'
import {
  AuthorizationResponseError,
  ClientError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client'
import { failure } from '../../errors.js'

/** Codes of openid-client for a provider that did not answer as one: https://github.com/panva/openid-client */
const UNREACHABLE = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR',
])

/** What went wrong while somebody signed in, as an error of the catalogue. The provider's own words may hold anything: they are the cause. */
export function toSignInError(error: unknown): AppError {
  if (error instanceof AppError) return error
  if (error instanceof AuthorizationResponseError) return refused(`it said "${word(error.error)}"`, error)
  // Asked too often, it has said nothing about the person.
  if (error instanceof ResponseBodyError && error.status < 500 && error.status !== 429)
    return refused(`it said "${word(error.error)}"`, error)
  if (error instanceof WWWAuthenticateChallengeError) return refused('it did not accept the access token', error)
  if (error instanceof ClientError && !isOutage(error)) return refused('its answer does not hold', error)
  return failure(
    'OIDC_PROVIDER_UNREACHABLE',
    'Signing in: the provider does not answer as it should; try again, or sign in with a token',
    {
      cause: error,
    },
  )
}

function refused(why: string, cause: unknown): AppError {
  return failure('OIDC_SIGN_IN_REFUSED', `Signing in: the provider did not vouch for anybody: ${why}; begin again`, {
    cause,
  })
}

function isOutage(error: ClientError): boolean {
  return error.code !== undefined && UNREACHABLE.has(error.code)
}

/** Error codes of OAuth are words; everything else stays out of messages. */
function word(text: string): string {
  return /^[a-z_]{1,60}$/.test(text) ? text : 'something else'
}
