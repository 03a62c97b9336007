import { MAX_REPORTED, type RequestReport, type SleepingEnvironments } from '@tributary/contract'
import type { Clock } from '@tributary/kit'

/** What a reporter is made with. */
export interface RequestReporterOptions {
  /** A name that no other gateway process has. */
  readonly gateway: string
  readonly send: (report: RequestReport, signal: AbortSignal) => Promise<SleepingEnvironments>
  readonly clock: Clock
  /** Told when reporting begins to fail; it is tried again. */
  readonly onError: (error: unknown) => void
}

/** Between reports: requests are counted within it, and an environment falls asleep, or is passed on to again, so much later at most. */
const EVERY_MS = 2_000
/** Somebody waits for an environment to wake: the next report is sent at once, but not more often than this. */
const HURRY_MS = 250
const TIMEOUT_MS = 5_000

/**
 * Tells the env-manager which environments are used and which are wanted, all that came up since the last report in one, and knows from its answers which are asleep.
 * What could not be told is told later; while the env-manager is away, what it said last holds.
 */
export class RequestReporter {
  #used = new Set<string>()
  #wanted = new Set<string>()
  #asleep: ReadonlySet<string> = new Set()
  #hurry = new AbortController()
  #isFailing = false

  constructor(private readonly options: RequestReporterOptions) {}

  /** A request went to the environment. Cheap: it is called for each. */
  noteUsed(environment: string): void {
    this.#used.add(environment)
  }

  /** Somebody asked for an environment that is asleep. */
  noteWanted(environment: string): void {
    this.#wanted.add(environment)
    this.#hurry.abort()
  }

  isAsleep(environment: string): boolean {
    return this.#asleep.has(environment)
  }

  /** Reports until the signal aborts, and once more then. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.options
    while (!signal.aborted) {
      await this.#report(signal)
      await clock.sleep(HURRY_MS, signal).catch(() => undefined)
      const either = AbortSignal.any([signal, this.#hurry.signal])
      await clock.sleep(EVERY_MS - HURRY_MS, either).catch(() => undefined)
    }
    if (this.#used.size > 0 || this.#wanted.size > 0) await this.#report(AbortSignal.timeout(HURRY_MS))
  }

  async #report(signal: AbortSignal): Promise<void> {
    const used = [...this.#used].slice(0, MAX_REPORTED)
    const wanted = [...this.#wanted].slice(0, MAX_REPORTED)
    for (const name of used) this.#used.delete(name)
    for (const name of wanted) this.#wanted.delete(name)
    this.#hurry = new AbortController()
    try {
      const known = [...this.#asleep].slice(0, MAX_REPORTED)
      const report = { gateway: this.options.gateway, used, wanted, asleep: known }
      const { asleep } = await this.options.send(report, AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]))
      this.#asleep = new Set(asleep)
      this.#isFailing = false
    } catch (error) {
      this.#used = new Set([...used, ...this.#used])
      this.#wanted = new Set([...wanted, ...this.#wanted])
      if (!this.#isFailing && !signal.aborted) this.options.onError(error)
      this.#isFailing = true
    }
  }
}
