import type { AppError } from '@tributary/kit'
import { failure, type EnvManagerErrorCode } from '../../../errors.js'

/** What the API server said no with: the parts of its `Status` that matter. */
export interface Refusal {
  readonly status: number
  readonly reason: string
  readonly message: string
  /** From the header or from the `Status`; undefined when nothing was said. */
  readonly retryAfterMs: number | undefined
}

/** Reads the body of an answer that is not a success. Anything that is no `Status` (a proxy's page) is cut short and kept as text. */
export function parseRefusal(status: number, text: string, retryAfter: string | undefined): Refusal {
  const parsed = parseStatus(text)
  const seconds = Number(retryAfter ?? parsed.details?.retryAfterSeconds)
  return {
    status,
    reason: parsed.reason ?? '',
    message: parsed.message ?? text.slice(0, 300).trim(),
    retryAfterMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined,
  }
}

interface Status {
  readonly reason?: string
  readonly message?: string
  readonly details?: { readonly retryAfterSeconds?: number }
}

function parseStatus(text: string): Status {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

const CODES: Readonly<Record<number, EnvManagerErrorCode>> = {
  401: 'KUBERNETES_UNAUTHENTICATED',
  403: 'KUBERNETES_FORBIDDEN',
  404: 'KUBERNETES_NOT_FOUND',
  409: 'KUBERNETES_CONFLICT',
  410: 'KUBERNETES_EXPIRED',
}

/** The error of a refusal. `what` says what was attempted, on what. */
export function refused(what: string, { status, reason, message }: Refusal): AppError {
  // A quota and an admission policy answer 403 as RBAC does; only RBAC's sentence has a subject that "cannot".
  const isPolicy = status === 403 && !/ cannot \w+ resource /.test(message)
  const code = status >= 500 || status === 429 ? 'KUBERNETES_UNREACHABLE' : (CODES[status] ?? 'KUBERNETES_REJECTED')
  const details = { status, reason }
  if (isPolicy) return failure('KUBERNETES_REJECTED', `${what}: the cluster refused it: ${message}`, { details })
  const advice = ADVICE[code] ?? ''
  return failure(code, `${what}: ${message || `status ${status}`}${advice}`, { details })
}

const ADVICE: Partial<Record<EnvManagerErrorCode, string>> = {
  KUBERNETES_UNAUTHENTICATED:
    '; check the credentials of platform.kubernetes (kubeconfig, or the pod’s ServiceAccount)',
  KUBERNETES_FORBIDDEN: '; grant the manager’s account that permission (`tributary doctor` lists what it needs)',
}

/** The error of a request that got no answer. */
export function unreachable(what: string, cause: unknown): AppError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return failure('KUBERNETES_UNREACHABLE', `${what}: the API server does not answer (${why}); it is tried again`, {
    cause,
  })
}
