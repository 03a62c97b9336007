import { AppError, type AppErrorOptions, type ErrorKind } from '@tributary/kit'

/** Every code that the SDK throws, with its kind and meaning. Reads never throw because of an outage; see each code. */
export const SDK_ERRORS = {
  SDK_OPTIONS_INVALID: {
    kind: 'invalid_argument',
    description: 'connect() got no usable settings; the message lists every missing or wrong one',
  },
  SDK_PATH_INVALID: {
    kind: 'invalid_argument',
    description: 'a config path is neither dotted names nor a JSON Pointer (RFC 6901)',
  },
  SDK_NOT_READY: {
    kind: 'unavailable',
    description: 'no view is held yet, neither from the config center nor from the disk snapshot',
  },
  SERVICE_NOT_FOUND: {
    kind: 'not_found',
    description: 'no tenant of the chain has an entry of the service, or it has no endpoint of that port',
  },
  SERVICE_MASKED: {
    kind: 'failed_precondition',
    description: 'a tenant of the chain masks the service: there is no fallback on purpose',
  },
  SDK_REGISTRATION_REFUSED: {
    kind: 'permission_denied',
    description: 'the config center refuses the registration of this process; repeating it does not help',
  },
  TENANT_INVALID: {
    kind: 'invalid_argument',
    description: 'code was to run for a tenant whose name no tenant can have',
  },
  SDK_CONTEXT_KEY_MISSING: {
    kind: 'failed_precondition',
    description:
      'a capsule or callback URL was to be made or read, but there is no key: TRIBUTARY_CONTEXT_KEY is not set',
  },
  SDK_PUBLIC_URL_MISSING: {
    kind: 'failed_precondition',
    description: 'a callback URL was to be made, but the public address is not known: TRIBUTARY_PUBLIC_URL is not set',
  },
  CONTEXT_HEADERS_FIXED: {
    kind: 'failed_precondition',
    description:
      'node has written the headers of a request already, so the routing context can be neither added nor removed',
  },
  SDK_CLOSED: { kind: 'canceled', description: 'the client was closed' },
} as const satisfies Record<string, { readonly kind: ErrorKind; readonly description: string }>

/** A code of {@link SDK_ERRORS}. */
export type SdkErrorCode = keyof typeof SDK_ERRORS

/** Makes an {@link AppError} of the SDK's catalogue. */
export function sdkError(
  code: SdkErrorCode,
  message: string,
  more: Pick<AppErrorOptions, 'cause' | 'details'> = {},
): AppError {
  return new AppError({ kind: SDK_ERRORS[code].kind, code, message, ...more })
}
