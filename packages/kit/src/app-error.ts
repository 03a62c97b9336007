/** The closed set of failure kinds. Only `http/` folders map them to status numbers. */
export const ERROR_KINDS = [
  'invalid_argument',
  'unauthenticated',
  'permission_denied',
  'not_found',
  'already_exists',
  'conflict',
  'failed_precondition',
  'resource_exhausted',
  'deadline_exceeded',
  'unavailable',
  'gone',
  'canceled',
  'internal',
] as const

/** One of {@link ERROR_KINDS}. */
export type ErrorKind = (typeof ERROR_KINDS)[number]

/** What an {@link AppError} is made of. `retryable` defaults to true for `unavailable` and `deadline_exceeded` only. */
export interface AppErrorOptions {
  readonly kind: ErrorKind
  /** Stable upper-snake-case string from one service's catalogue; callers match on it, never on the message. */
  readonly code: string
  /** What was attempted, on what, and what to do. Never holds a secret. */
  readonly message: string
  readonly retryable?: boolean
  /** Machine-readable context that may be shown to the caller. Never holds a secret. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/** The only error class that crosses a folder boundary; adapters map their vendor's errors to it in one file. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly kind: ErrorKind
  readonly code: string
  readonly retryable: boolean
  readonly details: Readonly<Record<string, unknown>>

  constructor(options: AppErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.kind = options.kind
    this.code = options.code
    this.retryable = options.retryable ?? (options.kind === 'unavailable' || options.kind === 'deadline_exceeded')
    this.details = options.details ?? {}
  }
}

/** True when `error` is an {@link AppError}, with `code` when one is given. */
export function isAppError(error: unknown, code?: string): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code)
}
