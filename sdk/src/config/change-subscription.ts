import { isDeepStrictEqual } from 'node:util'
import { messageOf, type Diagnostics } from '../diagnostics.js'
import { readPath, type PathSegments } from './config-path.js'
import type { ValueCheck } from './value-check.js'

/** A handler of changes. What it returns is awaited; a throw or a rejection refuses the new value. */
export type ChangeHandler<T> = (now: T, before: T) => void | Promise<void>

/** What a {@link ChangeSubscription} needs. */
export interface ChangeSubscriptionOptions {
  /** As the user wrote it, for messages. */
  readonly path: string
  readonly segments: PathSegments
  readonly check: ValueCheck<unknown> | undefined
  readonly handler: ChangeHandler<unknown>
  /** The newest document received. */
  readonly document: () => unknown
  /** The value in use when the subscription begins. */
  readonly current: unknown
  /** A handler that has not settled after this counts as failed. */
  readonly timeoutMs: number
  readonly diagnostics: Diagnostics
  /** Told after the accepted value changed. */
  readonly onAccepted: () => void
}

/**
 * Offers each new value at one path to one handler, one at a time and the newest only. A value is _accepted_ when the handler
 * returned; until then, and after a refusal, the last accepted one is the good one.
 */
export class ChangeSubscription {
  readonly #options: ChangeSubscriptionOptions
  #accepted: unknown
  #offered: unknown
  #problem: string | undefined
  #running: Promise<void> | undefined
  #closed = false
  #giveUp: () => void = () => undefined

  constructor(options: ChangeSubscriptionOptions) {
    this.#options = options
    this.#accepted = this.#offered = options.current
    const problem = this.#checkProblem(options.current)
    if (problem === undefined) return
    this.#accepted = undefined
    this.#refuse('config_invalid', problem)
  }

  get segments(): PathSegments {
    return this.#options.segments
  }

  /** The last value that the handler took. */
  get accepted(): unknown {
    return this.#accepted
  }

  /** Why the newest value is not in use; undefined when it is. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Offers the newest value. Undefined when that is done already, else a promise for it; it never rejects. */
  catchUp(): Promise<void> | undefined {
    if (this.#running !== undefined) return this.#running
    const first = this.#offerNewest()
    if (first === undefined) return undefined
    this.#running = this.#finish(first)
    return this.#running
  }

  /** No further call begins, and one that is under way is not waited for. */
  close(): void {
    this.#closed = true
    this.#giveUp()
  }

  async #finish(first: Promise<void>): Promise<void> {
    for (let step: Promise<void> | undefined = first; step !== undefined; step = this.#offerNewest()) await step
    this.#running = undefined
  }

  #offerNewest(): Promise<void> | undefined {
    const value = readPath(this.#options.document(), this.#options.segments)
    if (this.#closed || isDeepStrictEqual(value, this.#offered)) return undefined
    this.#offered = value
    if (isDeepStrictEqual(value, this.#accepted)) {
      this.#problem = undefined
      return undefined
    }
    const problem = this.#checkProblem(value)
    if (problem === undefined) return this.#call(value)
    this.#refuse('config_invalid', problem)
    return undefined
  }

  #call(value: unknown): Promise<void> | undefined {
    try {
      const result = this.#options.handler(value, this.#accepted)
      if (result instanceof Promise) return this.#await(result, value)
      this.#accept(value)
    } catch (error) {
      this.#refuse('handler_failed', messageOf(error), error)
    }
    return undefined
  }

  async #await(result: Promise<void>, value: unknown): Promise<void> {
    const { timeoutMs } = this.#options
    let timer: NodeJS.Timeout | undefined
    const givenUp = new Promise<never>((_resolve, reject) => {
      this.#giveUp = () => reject(new Error('the subscription was closed'))
      timer = setTimeout(() => reject(new Error(`the handler has not settled after ${timeoutMs} ms`)), timeoutMs)
    })
    try {
      await Promise.race([result, givenUp])
      this.#accept(value)
    } catch (error) {
      if (!this.#closed) this.#refuse('handler_failed', messageOf(error), error)
    } finally {
      clearTimeout(timer)
    }
  }

  #accept(value: unknown): void {
    this.#accepted = value
    this.#problem = undefined
    this.#options.onAccepted()
  }

  #refuse(code: 'handler_failed' | 'config_invalid', problem: string, cause?: unknown): void {
    this.#problem = `${this.#options.path || '*'}: ${problem}`
    this.#options.diagnostics.report(code, `${this.#problem}; the last good value stays in use`, cause)
  }

  #checkProblem(value: unknown): string | undefined {
    if (value === undefined || this.#options.check === undefined) return undefined
    const checked = this.#options.check(value)
    return checked.ok ? undefined : checked.problem
  }
}
