import type { Dispatcher } from 'undici'

type Handler = Dispatcher.DispatchHandler
type ParametersOf<Name extends keyof Handler> = Parameters<NonNullable<Handler[Name]>>

/** What a call of the dispatcher is watched for. */
export interface CallWatch {
  /** The call has been answered, or has failed for good. Told at least once, and only the first time counts. */
  readonly ended: ((failed: boolean) => void) | undefined
  /** Dispatches the call again, to where the service is now; false: there is nowhere else, so the failure stands. Undefined: it must not be. */
  readonly reroute: ((handler: Handler) => boolean) | undefined
}

const SERVER_ERROR = 500
/** Below are answers that announce the answer. */
const FIRST_FINAL_STATUS = 200

/** Failures of a connection that is no more, or never was: nobody has answered. */
const GONE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
])

/**
 * Wraps the handler of a call: tells how it ended, and when its connection fails before any answer, it is rerouted, once. undici hands its
 * handlers in two forms; its own `request` and Node's `fetch` have the older one.
 */
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
    this.#handler.onRequestStart?.(controller, context)
  }

  onResponseStarted(): void {
    this.#handler.onResponseStarted?.()
  }

  onRequestUpgrade(...parameters: ParametersOf<'onRequestUpgrade'>): void {
    this.#answered = true
    this.#watch.ended?.(false)
    this.#handler.onRequestUpgrade?.(...parameters)
  }

  onResponseStart(...parameters: ParametersOf<'onResponseStart'>): void {
    this.#answered = true
    tell(this.#watch, parameters[1])
    this.#handler.onResponseStart?.(...parameters)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#handler.onResponseData?.(controller, chunk)
  }

  onResponseEnd(...parameters: ParametersOf<'onResponseEnd'>): void {
    this.#handler.onResponseEnd?.(...parameters)
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    const mayMove = !this.#answered && !controller?.aborted
    if (mayMove && isRerouted(this.#watch, error, this.#handler)) return
    this.#watch.ended?.(true)
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
    this.#handler.onConnect?.(abort)
  }

  onUpgrade(...parameters: ParametersOf<'onUpgrade'>): void {
    this.#answered = true
    this.#watch.ended?.(false)
    this.#handler.onUpgrade?.(...parameters)
  }

  onResponseStarted(): void {
    this.#answered = true
    this.#handler.onResponseStarted?.()
  }

  onHeaders(...parameters: ParametersOf<'onHeaders'>): boolean {
    this.#answered = true
    tell(this.#watch, parameters[0])
    return this.#handler.onHeaders?.(...parameters) ?? true
  }

  onData(chunk: Buffer): boolean {
    return this.#handler.onData?.(chunk) ?? true
  }

  onComplete(trailers: string[] | null): void {
    this.#handler.onComplete?.(trailers)
  }

  onBodySent(...parameters: ParametersOf<'onBodySent'>): void {
    this.#handler.onBodySent?.(...parameters)
  }

  onError(error: Error): void {
    if (!this.#answered && isRerouted(this.#watch, error, this.#handler)) return
    this.#watch.ended?.(true)
    this.#handler.onError?.(error)
  }
}

function tell({ ended }: CallWatch, status: number): void {
  if (status >= FIRST_FINAL_STATUS) ended?.(status >= SERVER_ERROR)
}

function isRerouted({ reroute }: CallWatch, error: Error, handler: Handler): boolean {
  return reroute !== undefined && isGone(error) && reroute(handler)
}

function isGone(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && GONE.has(error.code)
}
