import { randomBytes } from 'node:crypto'
import type { CallsReport, RefusedContextReason } from '@tributary/contract'
import { REFUSED_CONTEXT_REASONS } from '@tributary/contract/light'
import type { JsonAnswer } from '../http/transport.js'
import { messageOf } from '../diagnostics.js'
import type { CallCounter } from './call-counter.js'

/** How often each reason was refused, since the start. */
export type Refusals = Readonly<Partial<Record<RefusedContextReason, number>>>

/** What a {@link CallsReporter} needs. */
export interface CallsReporterOptions {
  readonly counter: CallCounter
  readonly refusals: () => Refusals
  /** Sends a report on the present subscription; undefined when there is none. Rejects when there is no answer. */
  readonly send: (report: CallsReport) => Promise<JsonAnswer | undefined>
  readonly onGivenUp: (message: string) => void
  /** Reports are at least this far apart. */
  readonly intervalMs: number
}

/** A leak waits no longer than this. */
const SOON_MS = 250
const NOT_FOUND = 404
const TOO_MANY_REQUESTS = 429

/**
 * Reports what was counted, one report at a time. A report that did not get through is sent again as it was, under its sequence number, so
 * that the config center counts it once; what is counted meanwhile waits for the next one. Nothing runs while nothing is counted.
 */
export class CallsReporter {
  readonly #options: CallsReporterOptions
  readonly #reporter = randomBytes(16).toString('hex')
  readonly #reported = new Map<RefusedContextReason, number>()
  #sequence = 0
  #unconfirmed: CallsReport | undefined
  #timer: NodeJS.Timeout | undefined
  #dueAt = Infinity
  #sending: Promise<void> | undefined
  #closed = false

  constructor(options: CallsReporterOptions) {
    this.#options = options
  }

  /** Something was counted. */
  wake(urgency: 'soon' | 'later'): void {
    // Nearly every call ends here.
    if (urgency === 'later' && this.#dueAt !== Infinity) return
    const delayMs = urgency === 'soon' ? Math.min(SOON_MS, this.#options.intervalMs) : this.#options.intervalMs
    const dueAt = performance.now() + delayMs
    if (this.#closed || dueAt >= this.#dueAt) return
    clearTimeout(this.#timer)
    this.#dueAt = dueAt
    // Counting must not keep a process alive that has nothing else to do.
    this.#timer = setTimeout(() => void this.flush(), delayMs).unref()
  }

  /** Reports what there is now; resolves when it got through or has to wait. Never rejects. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#dueAt = Infinity
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined
    })
    await this.#sending
  }

  /** Reports for the last time. */
  async close(): Promise<void> {
    this.#closed = true
    await this.flush()
    clearTimeout(this.#timer)
  }

  async #sendAll(): Promise<void> {
    this.#unconfirmed ??= this.#nextReport()
    if (this.#unconfirmed === undefined) return
    const outcome = await this.#send(this.#unconfirmed)
    if (outcome === 'waiting') return this.wake('later')
    this.#unconfirmed = undefined
    if (!this.#options.counter.isEmpty) this.wake('later')
  }

  async #send(report: CallsReport): Promise<'done' | 'waiting'> {
    const answer = await this.#options.send(report).catch((error: unknown) => messageOf(error))
    if (answer === undefined || typeof answer === 'string') return 'waiting'
    if (answer.status < 400) return 'done'
    // The subscription may be on another replica, or just gone: the next one will do.
    if (answer.status >= 500 || answer.status === NOT_FOUND || answer.status === TOO_MANY_REQUESTS) return 'waiting'
    this.#options.onGivenUp(`the config center refuses report ${report.sequence} of calls with status ${answer.status}`)
    return 'done'
  }

  #nextReport(): CallsReport | undefined {
    const refusedContexts = this.#refusedSince()
    if (this.#options.counter.isEmpty && Object.keys(refusedContexts).length === 0) return undefined
    this.#sequence += 1
    return { reporter: this.#reporter, sequence: this.#sequence, ...this.#options.counter.take(), refusedContexts }
  }

  #refusedSince(): Partial<Record<RefusedContextReason, number>> {
    const now = this.#options.refusals()
    const since: Partial<Record<RefusedContextReason, number>> = {}
    for (const reason of REFUSED_CONTEXT_REASONS) {
      const more = (now[reason] ?? 0) - (this.#reported.get(reason) ?? 0)
      if (more > 0) since[reason] = more
      this.#reported.set(reason, now[reason] ?? 0)
    }
    return since
  }
}
