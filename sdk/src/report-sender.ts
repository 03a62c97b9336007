import { backoffMs, type Clock } from '@tributary/kit'
import type { AppliedState } from './applied-reporter.js'
import { messageOf, type Diagnostics } from './diagnostics.js'
import { errorMessage } from './http/error-message.js'
import { paths } from './http/paths.js'
import type { Transport } from './http/transport.js'

/** What {@link sendReport} needs. */
export interface ReportSenderOptions {
  readonly transport: Transport
  readonly diagnostics: Diagnostics
  readonly clock: Clock
  readonly random: () => number
  readonly signal: AbortSignal
  /** True once a newer state waits to be reported: then this one is not tried again. */
  readonly superseded: () => boolean
}

const TIMEOUT_MS = 5_000
const MAX_ATTEMPTS = 6
const BACKOFF = { initialMs: 100, maxMs: 1_000 } as const
const NOT_FOUND = 404
const TOO_MANY_REQUESTS = 429

/**
 * Sends one report, and again when the config center does not take it now; answers whether it took it. When it is given up there
 * is a diagnostic, and the publisher sees this process among the laggards, which is what it is.
 */
export async function sendReport(state: AppliedState, options: ReportSenderOptions): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    const problem = await tryOnce(state, options, attempt)
    if (problem === undefined) return true
    if (options.signal.aborted || options.superseded()) return false
    if (attempt === MAX_ATTEMPTS || !problem.retryable) {
      const message = `cannot report revision ${state.report.appliedRevision} as applied: ${problem.message}`
      options.diagnostics.report('report_failed', message)
      return false
    }
    await options.clock
      .sleep(backoffMs(attempt, { ...BACKOFF, random: options.random }), options.signal)
      .catch(() => undefined)
  }
}

async function tryOnce(
  state: AppliedState,
  { transport, signal }: ReportSenderOptions,
  attempt: number,
): Promise<{ readonly message: string; readonly retryable: boolean } | undefined> {
  const path = paths.applied(state.subscriptionId)
  try {
    const answer = await transport.requestJson({
      method: 'POST',
      path,
      body: state.report,
      timeoutMs: TIMEOUT_MS,
      signal,
      // Only the replica that holds the stream knows the subscription; another connection may lead to it.
      connection: attempt === 1 ? 'shared' : 'own',
    })
    if (answer.status < 400) return undefined
    const retryable = answer.status >= 500 || answer.status === NOT_FOUND || answer.status === TOO_MANY_REQUESTS
    return { message: errorMessage(answer.status, answer.body), retryable }
  } catch (error) {
    return { message: messageOf(error), retryable: true }
  }
}
