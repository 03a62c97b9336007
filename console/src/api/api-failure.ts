import type { ErrorBody } from '@tributary/contract'

/** Why a call of the API failed: what the server said, or that it could not be asked. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure'
  /** HTTP status; 0: no answer came. */
  readonly status: number
  /** From the server's error catalogue; `UNREACHABLE` when no answer came, `UNREADABLE` when it was not the API that answered. */
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(message: string, given: { status: number; code: string; details?: Readonly<Record<string, unknown>> }) {
    super(message)
    this.status = given.status
    this.code = given.code
    this.details = given.details ?? {}
  }

  /** True when the API cannot be asked now: it is down, or something in front of it says so. */
  get unreachable(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504
  }
}

/** Reads the body of an answer with a status of 400 or more. */
export function failureOf(status: number, body: unknown): ApiFailure {
  if (!isErrorBody(body)) {
    return new ApiFailure(`The server answered ${status} without saying why`, { status, code: 'UNREADABLE' })
  }
  const { code, message, details } = body.error
  return new ApiFailure(message, { status, code, details })
}

function isErrorBody(body: unknown): body is ErrorBody {
  if (typeof body !== 'object' || body === null || !('error' in body)) return false
  const { error } = body
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    'message' in error &&
    typeof error.code === 'string'
  )
}
