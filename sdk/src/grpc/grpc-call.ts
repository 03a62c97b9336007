import { status } from '@grpc/grpc-js'

/**
 * Statuses that mean that the service has failed, as 5xx do: the same that OpenTelemetry takes for errors of a server. The others are
 * answers, or the caller's own doing.
 */
const FAILURES: ReadonlySet<status> = new Set([
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.UNIMPLEMENTED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.DATA_LOSS,
])

/** True when a call that ends with this status counts as failed. */
export function isFailure(code: status): boolean {
  return FAILURES.has(code)
}

/** The contract's bound of a label. */
const MAX_LABEL_CHARS = 128

/** The label of a method, `POST /shop.Orders/Pay`: methods are few, and their names are no data. */
export function labelOf(path: string): string {
  return `POST ${path}`.slice(0, MAX_LABEL_CHARS)
}
