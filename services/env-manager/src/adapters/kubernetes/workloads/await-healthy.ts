import { failure } from '../../../errors.js'
import type { WorkloadStatus } from '../../../ports/platform.js'
import type { KubernetesParts } from '../kubernetes-parts.js'
import { lastLines } from './pod-logs.js'
import type { Assessment } from './workload-status.js'

const LAST_LINES = 20

/**
 * Resolves once readiness holds.
 * @throws AppError `PLATFORM_WORKLOAD_NOT_FOUND`; `PLATFORM_UNHEALTHY` at the deadline, or as soon as waiting is in vain; `PLATFORM_IMAGE_MISSING`
 * (retryable) when that is for want of its image; `PLATFORM_CANCELED`.
 */
export async function awaitHealthy(
  parts: KubernetesParts,
  workloadId: string,
  options: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<WorkloadStatus> {
  const { book } = parts
  if (book.find(workloadId) === undefined) throw notFound(workloadId)
  const isSettled = (): boolean => {
    const found = book.find(workloadId)
    return found === undefined || found.status.health === 'healthy' || found.hasGivenUp
  }
  await book.until(isSettled, options)
  const found = book.find(workloadId)
  if (found?.status.health === 'healthy') return found.status
  if (options.signal.aborted) {
    throw failure('PLATFORM_CANCELED', `waiting for ${workloadId} was given up: it is no longer wanted`, {
      cause: options.signal.reason,
    })
  }
  if (found === undefined) throw notFound(workloadId)
  throw await unhealthy(parts, found, options)
}

async function unhealthy(
  parts: KubernetesParts,
  { status, hasGivenUp, lacksImage, pod }: Assessment,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Error> {
  const { service, environment, message, health } = status
  const why = hasGivenUp ? 'does not come up' : `did not become healthy within ${timeoutMs / 1000} s`
  const cause = health === 'stopped' ? 'it was scaled to nothing' : (message ?? 'no reason is known')
  if (lacksImage) {
    const advice = 'it is tried again until somebody has built and pushed it'
    return failure('PLATFORM_IMAGE_MISSING', `${service} in ${environment} ${why}: ${cause}; ${advice}`)
  }
  const lines = pod === undefined ? [] : await lastLines(parts, pod, { tailLines: LAST_LINES, signal })
  const output = lines.length === 0 ? 'It printed nothing.' : `Its last lines:\n${lines.join('\n')}`
  return failure('PLATFORM_UNHEALTHY', `${service} in ${environment} ${why}: ${cause}. ${output}`)
}

function notFound(workloadId: string): Error {
  return failure('PLATFORM_WORKLOAD_NOT_FOUND', `The cluster has no workload ${workloadId}`)
}
