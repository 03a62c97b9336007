import type { Clock } from '@tributary/kit'
import { failure } from '../../errors.js'
import type { WorkloadStatus } from '../../ports/platform.js'
import type { WorkloadSupervisor } from './workload-supervisor.js'

const LAST_LINES = 20

/** How long to wait, and for whom. */
export interface AwaitHealthyOptions {
  readonly signal: AbortSignal
  readonly timeoutMs: number
  readonly clock: Clock
}

/** @throws AppError `PLATFORM_UNHEALTHY` at the deadline, or as soon as waiting is in vain; `PLATFORM_CANCELED`. */
export async function awaitHealthy(
  supervisor: WorkloadSupervisor,
  options: AwaitHealthyOptions,
): Promise<WorkloadStatus> {
  const isSettled = (): boolean => supervisor.status().health === 'healthy' || supervisor.hasGivenUp
  await waitUntil(isSettled, supervisor, options)
  const status = supervisor.status()
  if (status.health === 'healthy') return status
  const { service, environment } = status
  if (options.signal.aborted) {
    throw failure(
      'PLATFORM_CANCELED',
      `waiting for ${service} in ${environment} was given up: it is no longer wanted`,
      { cause: options.signal.reason },
    )
  }
  throw await unhealthy(supervisor, options)
}

async function waitUntil(
  isSettled: () => boolean,
  supervisor: WorkloadSupervisor,
  options: AwaitHealthyOptions,
): Promise<void> {
  const settled = new AbortController()
  const look = (): void => {
    if (isSettled() || options.signal.aborted) settled.abort()
  }
  const unsubscribe = supervisor.subscribe(look)
  options.signal.addEventListener('abort', look, { once: true })
  try {
    look()
    await options.clock.sleep(options.timeoutMs, settled.signal).catch(() => undefined)
  } finally {
    unsubscribe()
    options.signal.removeEventListener('abort', look)
  }
}

async function unhealthy(supervisor: WorkloadSupervisor, options: AwaitHealthyOptions): Promise<Error> {
  const { service, environment, message, health } = supervisor.status()
  const { lines } = await supervisor.log.tail(LAST_LINES)
  const why = supervisor.hasGivenUp ? 'does not stay up' : `did not become healthy within ${options.timeoutMs / 1000} s`
  const cause = health === 'stopped' ? 'it was stopped' : (message ?? 'readiness was not answered')
  const output = lines.length === 0 ? 'It printed nothing.' : `Its last lines:\n${lines.join('\n')}`
  return failure('PLATFORM_UNHEALTHY', `${service} in ${environment} ${why}: ${cause}. ${output}`)
}
