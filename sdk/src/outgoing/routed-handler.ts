import type { Dispatcher } from 'undici'

type Handler = Dispatcher.DispatchHandler
type ParametersOf<Name extends keyof Handler> = Parameters<NonNullable<Handler[Name]>>

/** What a call of the dispatcher is watched by. */
export interface CallWatch {
  /** It is written to a connection. */
  sent(): void
  /** Its answer has begun, with the status that it is going to have. */
  answered(status: number): void
  /** Its answer is complete. */
  completed(): void
  /** Its connection is the program's now. */
  upgraded(): void
  /** It has failed; true: it is on its way once more with this handler, so the program need not know. `mayMove`: nothing was answered. */
  failed(error: Error, handler: Handler, mayMove: boolean): boolean
}

/** Below are answers that announce the answer. */
const FIRST_FINAL_STATUS = 200

/** Wraps the handler of a call. undici hands its handlers in two forms; its own `request` and Node's `fetch` have the older one. */
export function routedHandler(handler: Handler, watch: CallWatch): Handler {
  return handler.onRequestStart === undefined
    ? new OlderRoutedHandler(handler, watch)
    : new RoutedHandler(handler, watch)
}

class RoutedHandler implements Handler {
  readonly #handler: Handler
  readonly #watch: CallWatch
  #answered = false

  constructor(handler: Handler, watch: CallWatch) {
    this.#handler = handler
    this.#watch = watch
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#watch.sent()
    this.#handler.onRequestStart?.(controller, context)
  }

  onResponseStarted(): void {
    this.#handler.onResponseStarted?.()
  }

  onRequestUpgrade(...parameters: ParametersOf<'onRequestUpgrade'>): void {
    this.#answered = true
    this.#watch.upgraded()
    this.#handler.onRequestUpgrade?.(...parameters)
  }

  onResponseStart(...parameters: ParametersOf<'onResponseStart'>): void {
    this.#answered = true
    if (parameters[1] >= FIRST_FINAL_STATUS) this.#watch.answered(parameters[1])
    this.#handler.onResponseStart?.(...parameters)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#handler.onResponseData?.(controller, chunk)
  }

  onResponseEnd(...parameters: ParametersOf<'onResponseEnd'>): void {
    this.#watch.completed()
    this.#handler.onResponseEnd?.(...parameters)
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    const mayMove = !this.#answered && !controller?.aborted
    if (this.#watch.failed(error, this.#handler, mayMove)) return
    this.#handler.onResponseError?.(controller, error)
  }
}

class OlderRoutedHandler implements Handler {
  readonly #handler: Handler
  readonly #watch: CallWatch
  #answered = false

  constructor(handler: Handler, watch: CallWatch) {
    this.#handler = handler
    this.#watch = watch
  }

  onConnect(abort: (error?: Error) => void): void {
    this.#watch.sent()
    this.#handler.onConnect?.(abort)
  }

  onUpgrade(...parameters: ParametersOf<'onUpgrade'>): void {
    this.#answered = true
    this.#watch.upgraded()
    this.#handler.onUpgrade?.(...parameters)
  }

  onResponseStarted(): void {
    this.#answered = true
    this.#handler.onResponseStarted?.()
  }

  onHeaders(...parameters: ParametersOf<'onHeaders'>): boolean {
    const [status] = parameters
    this.#answered = true
    if (status >= FIRST_FINAL_STATUS) this.#watch.answered(status)
    return this.#handler.onHeaders?.(...parameters) ?? true
  }

  onData(chunk: Buffer): boolean {
    return this.#handler.onData?.(chunk) ?? true
  }

  onComplete(trailers: string[] | null): void {
    this.#watch.completed()
    this.#handler.onComplete?.(trailers)
  }

  onBodySent(...parameters: ParametersOf<'onBodySent'>): void {
    this.#handler.onBodySent?.(...parameters)
  }

  onError(error: Error): void {
    if (this.#watch.failed(error, this.#handler, !this.#answered)) return
    this.#handler.onError?.(error)
  }
}
