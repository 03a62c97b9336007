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
}

const TIMEOUT_MS = 5_000
const MAX_ATTEMPTS = 4
const BACKOFF = { initialMs: 100, maxMs: 2_000 } as const

/**
 * Sends one report, and again when the config center does not take it now. Rejects when it is given up, after a diagnostic: the
 * publisher then sees this process among the laggards, which is what it is.
 */
export async function sendReport(state: AppliedState, options: ReportSenderOptions): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const problem = await tryOnce(state, options)
    if (problem === undefined || options.signal.aborted) return
    if (attempt === MAX_ATTEMPTS || !problem.retryable) {
      const message = `cannot report revision ${state.report.appliedRevision} as applied: ${problem.message}`
      options.diagnostics.report('report_failed', message)
      throw new Error(message)
    }
    await options.clock
      .sleep(backoffMs(attempt, { ...BACKOFF, random: options.random }), options.signal)
      .catch(() => undefined)
  }
}

async function tryOnce(
  state: AppliedState,
  { transport, signal }: ReportSenderOptions,
): Promise<{ readonly message: string; readonly retryable: boolean } | undefined> {
  const path = paths.applied(state.subscriptionId)
  try {
    const answer = await transport.requestJson({
      method: 'POST',
      path,
      body: state.report,
      timeoutMs: TIMEOUT_MS,
      signal,
    })
    if (answer.status < 400) return undefined
    const retryable = answer.status >= 500 || answer.status === 429
    return { message: errorMessage(answer.status, answer.body), retryable }
  } catch (error) {
    return { message: messageOf(error), retryable: true }
  }
}
