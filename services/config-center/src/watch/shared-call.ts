/**
 * Runs `call` for many concurrent callers at once without weakening what each may expect: a caller is only ever given the
 * result of a call that started after it asked. At most one call runs and one waits, however many callers there are.
 */
export class SharedCall<T> {
  #running: Promise<unknown> = Promise.resolve()
  #next: Promise<T> | undefined
  readonly #call: () => Promise<T>

  constructor(call: () => Promise<T>) {
    this.#call = call
  }

  /** Joins the call that has not started yet. Rejects as that call does. */
  run(): Promise<T> {
    this.#next ??= this.#enqueue()
    return this.#next
  }

  #enqueue(): Promise<T> {
    const start = (): Promise<T> => {
      this.#next = undefined
      return this.#call()
    }
    const next = this.#running.then(start, start)
    this.#running = next
    return next
  }
}
