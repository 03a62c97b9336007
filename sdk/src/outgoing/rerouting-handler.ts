import type { Dispatcher } from 'undici'

/** Dispatches the call again, to where the service is now; false: there is nowhere else, so the failure stands. */
export type Reroute = (handler: Dispatcher.DispatchHandler) => boolean

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
 * Wraps the handler of a safe request: when the connection fails before any answer, the call is rerouted, once. undici hands its
 * handlers in two forms, and the one that Node's own `fetch` brings along has the older one.
 */
export function reroutingHandler(handler: Dispatcher.DispatchHandler, reroute: Reroute): Dispatcher.DispatchHandler {
  return handler.onRequestStart === undefined
    ? new OlderReroutingHandler(handler, reroute)
    : new ReroutingHandler(handler, reroute)
}

class ReroutingHandler implements Dispatcher.DispatchHandler {
  readonly #handler: Dispatcher.DispatchHandler
  readonly #reroute: Reroute
  #answered = false

  constructor(handler: Dispatcher.DispatchHandler, reroute: Reroute) {
    this.#handler = handler
    this.#reroute = reroute
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#handler.onRequestStart?.(controller, context)
  }

  onRequestUpgrade(...parameters: Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestUpgrade']>>): void {
    this.#answered = true
    this.#handler.onRequestUpgrade?.(...parameters)
  }

  onResponseStart(...parameters: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>): void {
    this.#answered = true
    this.#handler.onResponseStart?.(...parameters)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#handler.onResponseData?.(controller, chunk)
  }

  onResponseEnd(...parameters: Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseEnd']>>): void {
    this.#handler.onResponseEnd?.(...parameters)
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    const rerouted = !this.#answered && !controller?.aborted && isGone(error) && this.#reroute(this.#handler)
    if (!rerouted) this.#handler.onResponseError?.(controller, error)
  }
}

class OlderReroutingHandler implements Dispatcher.DispatchHandler {
  readonly #handler: Dispatcher.DispatchHandler
  readonly #reroute: Reroute
  #answered = false

  constructor(handler: Dispatcher.DispatchHandler, reroute: Reroute) {
    this.#handler = handler
    this.#reroute = reroute
  }

  onConnect(...parameters: Parameters<NonNullable<Dispatcher.DispatchHandler['onConnect']>>): void {
    this.#handler.onConnect?.(...parameters)
  }

  onUpgrade(...parameters: Parameters<NonNullable<Dispatcher.DispatchHandler['onUpgrade']>>): void {
    this.#answered = true
    this.#handler.onUpgrade?.(...parameters)
  }

  onResponseStarted(): void {
    this.#answered = true
    this.#handler.onResponseStarted?.()
  }

  onHeaders(...parameters: Parameters<NonNullable<Dispatcher.DispatchHandler['onHeaders']>>): boolean {
    this.#answered = true
    return this.#handler.onHeaders?.(...parameters) ?? true
  }

  onData(chunk: Buffer): boolean {
    return this.#handler.onData?.(chunk) ?? true
  }

  onComplete(trailers: string[] | null): void {
    this.#handler.onComplete?.(trailers)
  }

  onBodySent(...parameters: Parameters<NonNullable<Dispatcher.DispatchHandler['onBodySent']>>): void {
    this.#handler.onBodySent?.(...parameters)
  }

  onError(error: Error): void {
    if (!(!this.#answered && isGone(error) && this.#reroute(this.#handler))) this.#handler.onError?.(error)
  }
}

function isGone(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && GONE.has(error.code)
}
