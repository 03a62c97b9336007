import type { AppError, ErrorKind } from './app-error.js'

/** What an API answers an error with; the body is the `ErrorBody` of the contract. */
export interface ErrorAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: {
    readonly error: {
      readonly kind: ErrorKind
      readonly code: string
      readonly message: string
      readonly retryable: boolean
      readonly details: Record<string, unknown>
    }
  }
}

/** The only place that knows status numbers. */
const STATUS: Readonly<Record<ErrorKind, number>> = {
  invalid_argument: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  already_exists: 409,
  conflict: 409,
  gone: 410,
  failed_precondition: 422,
  resource_exhausted: 429,
  canceled: 499,
  internal: 500,
  unavailable: 503,
  deadline_exceeded: 504,
}

const RETRY_AFTER_SECONDS = '1'

/** The answer to an error. Of a bug only `requestId` is told, by which the server's log has it: its message may hold anything. */
export function errorAnswer({ kind, code, message, retryable, details }: AppError, requestId: string): ErrorAnswer {
  const told =
    kind === 'internal'
      ? { message: `The server failed; its log has the reason under request ${requestId}`, details: { requestId } }
      : { message, details: { ...details } }
  return { status: STATUS[kind], headers: headersOf(kind), body: { error: { kind, code, retryable, ...told } } }
}

function headersOf(kind: ErrorKind): Record<string, string> {
  if (kind === 'unauthenticated') return { 'www-authenticate': 'Bearer' }
  return kind === 'unavailable' || kind === 'resource_exhausted' ? { 'retry-after': RETRY_AFTER_SECONDS } : {}
}
