import { setMaxListeners } from 'node:events'
import { failure } from '../../errors.js'

/** How many signals there are in the time of one deadline: what they may come late by. */
const SIGNALS_PER_DEADLINE = 10

/**
 * A deadline for very many short operations: those that start at about the same time share one signal and one timer. A signal
 * aborts between `ms` and 1.1 times `ms` after it was handed out, with `READ_TIMEOUT` as its reason.
 */
export class SharedDeadline {
  readonly #ms: number
  #signal: AbortSignal | undefined

  constructor(ms: number) {
    this.#ms = ms
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#create()
    return this.#signal
  }

  #create(): AbortSignal {
    const slotMs = this.#ms / SIGNALS_PER_DEADLINE
    const controller = new AbortController()
    // As many listeners as there are reads under way: no leak, whatever the number.
    setMaxListeners(0, controller.signal)
    setTimeout(() => (this.#signal = undefined), slotMs).unref()
    setTimeout(() => controller.abort(tooSlow(this.#ms)), this.#ms + slotMs).unref()
    return controller.signal
  }
}

function tooSlow(ms: number): Error {
  return failure('READ_TIMEOUT', `This replica did not catch up with the store within ${ms} ms; try again.`)
}
