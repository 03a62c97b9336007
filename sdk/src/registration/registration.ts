import type { EntrySpec } from '@tributary/contract'
import { backoffMs, type Clock } from '@tributary/kit'
import { messageOf, type Diagnostics } from '../diagnostics.js'
import { sdkError } from '../errors.js'
import type { Immutable } from '../freeze.js'
import { errorMessage } from '../http/error-message.js'
import type { JsonAnswer, Transport } from '../http/transport.js'
import { isInstanceLease } from '../wire/wire-guards.js'

/** What a process registers of itself, under a lease. */
export interface RegisterOptions extends Immutable<EntrySpec> {
  /** The entry goes this long after the last heartbeat. 2 to 300. Default 15. */
  readonly ttlSeconds?: number
}

/**
 * | state | means |
 * | --- | --- |
 * | registered | the lease was confirmed within its time to live |
 * | lost | no confirmation in time: the entry may be gone; it is tried again |
 * | refused | the config center says no (token, tenant, spec); tried again slowly |
 * | closed | deregistered |
 */
export type RegistrationState = 'registered' | 'lost' | 'refused' | 'closed'

/** What a {@link Registration} needs. */
export interface RegistrationDependencies {
  readonly transport: Transport
  readonly path: string
  readonly diagnostics: Diagnostics
  readonly clock: Clock
  readonly random: () => number
}

const DEFAULT_TTL_SECONDS = 15
const REQUEST_TIMEOUT_MS = 5_000
const DEREGISTER_TIMEOUT_MS = 2_000
const REFUSED_RETRY_MS = 30_000
const INITIAL_BACKOFF_MS = 200
const MILLISECONDS_PER_SECOND = 1_000
const HEARTBEATS_PER_TTL = 3

/** A leased registration of this process: heartbeats until {@link close}, and registers again after a loss. */
export class Registration {
  readonly #dependencies: RegistrationDependencies
  readonly #body: { readonly spec: Immutable<EntrySpec>; readonly ttlSeconds: number }
  readonly #stop = new AbortController()
  #state: RegistrationState = 'lost'
  #ttlMs: number
  #failures = 0
  #confirmedAt: number | undefined
  #loop: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined

  private constructor(options: RegisterOptions, dependencies: RegistrationDependencies) {
    const { ttlSeconds = DEFAULT_TTL_SECONDS, ...spec } = options
    this.#dependencies = dependencies
    this.#body = { spec, ttlSeconds }
    this.#ttlMs = ttlSeconds * MILLISECONDS_PER_SECOND
  }

  /**
   * Registers, and resolves once the config center has confirmed it; an outage is waited out.
   * @throws AppError `SDK_REGISTRATION_REFUSED` when it says no, `SDK_CLOSED` when `signal` aborts first.
   */
  static async start(
    options: RegisterOptions,
    dependencies: RegistrationDependencies,
    signal: AbortSignal,
  ): Promise<Registration> {
    const registration = new Registration(options, dependencies)
    signal.addEventListener('abort', () => registration.#stop.abort(), { once: true })
    if (signal.aborted) registration.#stop.abort()
    await registration.#firstTime()
    registration.#loop = registration.#keep()
    return registration
  }

  /** How it stands now. */
  get state(): RegistrationState {
    return this.#state
  }

  /** Ends the heartbeats and deregisters; when the config center does not answer, the lease ends by itself. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#stop.abort()
    await this.#loop
    this.#state = 'closed'
    try {
      const signal = new AbortController().signal
      const { transport, path } = this.#dependencies
      const answer = await transport.requestJson({ method: 'DELETE', path, timeoutMs: DEREGISTER_TIMEOUT_MS, signal })
      if (answer.status >= 400 && answer.status !== 404) throw new Error(errorMessage(answer.status, answer.body))
    } catch (error) {
      const message = `cannot deregister: ${messageOf(error)}; the lease ends within ${this.#ttlMs} ms`
      this.#dependencies.diagnostics.report('deregistration_failed', message, error)
    }
  }

  async #firstTime(): Promise<void> {
    for (;;) {
      const problem = await this.#heartbeat()
      if (this.#stop.signal.aborted) throw sdkError('SDK_CLOSED', 'cannot register: the client was closed meanwhile')
      if (this.#state === 'registered') return
      if (this.#state === 'refused') {
        const advice = 'check the token, the tenant and the registered endpoints'
        throw sdkError('SDK_REGISTRATION_REFUSED', `the config center refuses the registration: ${problem}; ${advice}`)
      }
      await this.#pause()
    }
  }

  async #keep(): Promise<void> {
    await this.#pause()
    while (!this.#stop.signal.aborted) {
      await this.#heartbeat()
      await this.#pause()
    }
  }

  /** Sends one heartbeat and sets the state; returns what went wrong. */
  async #heartbeat(): Promise<string | undefined> {
    const sentAt = this.#dependencies.clock.monotonicMs()
    try {
      const answer = await this.#put()
      if (answer.status < 400 && isInstanceLease(answer.body)) {
        // Counted from before the request: the server's own clock of the lease began no earlier.
        this.#confirm(sentAt, answer.body.ttlSeconds)
        return undefined
      }
      return this.#fail(isFinal(answer.status) ? 'refused' : 'lost', errorMessage(answer.status, answer.body))
    } catch (error) {
      return this.#fail('lost', messageOf(error))
    }
  }

  #put(): Promise<JsonAnswer> {
    const { transport, path } = this.#dependencies
    const { signal } = this.#stop
    return transport.requestJson({ method: 'PUT', path, body: this.#body, timeoutMs: REQUEST_TIMEOUT_MS, signal })
  }

  #confirm(sentAt: number, ttlSeconds: number): void {
    this.#confirmedAt = sentAt
    this.#ttlMs = ttlSeconds * MILLISECONDS_PER_SECOND
    this.#failures = 0
    this.#state = 'registered'
  }

  #fail(state: 'lost' | 'refused', problem: string): string {
    this.#failures += 1
    const before = this.#state
    if (state === 'refused') this.#state = 'refused'
    else if (this.#hasExpired()) this.#state = 'lost'
    if (this.#state === before || this.#stop.signal.aborted) return problem
    const code = this.#state === 'refused' ? 'registration_refused' : 'registration_lost'
    this.#dependencies.diagnostics.report(code, `the registration of this process is ${this.#state}: ${problem}`)
    return problem
  }

  #hasExpired(): boolean {
    return this.#confirmedAt === undefined || this.#dependencies.clock.monotonicMs() - this.#confirmedAt >= this.#ttlMs
  }

  /** Until the next heartbeat: a third of the time to live, or a jittered backoff of at most that after a failure. */
  async #pause(): Promise<void> {
    const { clock, random } = this.#dependencies
    const regularMs = this.#ttlMs / HEARTBEATS_PER_TTL
    const maxMs = this.#state === 'refused' ? REFUSED_RETRY_MS : regularMs
    const failures = this.#failures
    const delayMs = failures === 0 ? regularMs : backoffMs(failures, { initialMs: INITIAL_BACKOFF_MS, maxMs, random })
    await clock.sleep(delayMs, this.#stop.signal).catch(() => undefined)
  }
}

/** True for an answer that does not change by asking again. */
function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 409 && status !== 425 && status !== 429
}
