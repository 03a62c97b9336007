import { once } from 'node:events'
import type { Clock } from '@tributary/kit'
import type { LeaseBook } from './lease-book.js'

/** A full disk keeps a lease from ending; it is tried again after this time. */
const RETRY_MS = 1_000
/** Longest sleep: timers of the machine do not take more than 2^31 ms. */
const MAX_SLEEP_MS = 3_600_000

/** Ends leases when their time is up. */
export class LeaseExpiry {
  readonly #clock: Clock
  readonly #leases: LeaseBook
  readonly #end: (leaseId: string) => Promise<void>
  #rearm = new AbortController()
  #stopped = false
  #done: Promise<void>

  /** @param end ends one due lease durably. */
  constructor(options: { clock: Clock; leases: LeaseBook; end: (leaseId: string) => Promise<void> }) {
    this.#clock = options.clock
    this.#leases = options.leases
    this.#end = options.end
    this.#done = this.#run()
  }

  /** Looks at the deadlines again: a lease was granted. */
  rearm(): void {
    const { signal } = this.#rearm
    if (!signal.aborted) this.#rearm.abort()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.rearm()
    await this.#done
  }

  async #run(): Promise<void> {
    let pauseMs = 0
    while (!this.#stopped) {
      await this.#sleep(Math.max(pauseMs, this.#leases.nextDueInMs()))
      if (this.#stopped) return
      pauseMs = (await this.#endDue()) ? 0 : RETRY_MS
    }
  }

  async #sleep(ms: number): Promise<void> {
    if (ms <= 0) return
    this.#rearm = new AbortController()
    const { signal } = this.#rearm
    // Without a lease there is nothing to wait for but a grant: no timer that would keep the process alive.
    if (ms === Infinity) await once(signal, 'abort')
    // Aborting only ends the sleep early; the clock has no other way to fail.
    else await this.#clock.sleep(Math.min(ms, MAX_SLEEP_MS), signal).catch(() => undefined)
  }

  /** False when at least one could not be ended. */
  async #endDue(): Promise<boolean> {
    const results = await Promise.allSettled(this.#leases.due().map((leaseId) => this.#end(leaseId)))
    return results.every((result) => result.status === 'fulfilled')
  }
}
