import type { Context } from '@opentelemetry/api'
import type { Dispatcher } from 'undici'
import { activeTelemetry, isActiveTelemetry, resumeTelemetry } from '../context/open-telemetry.js'
import { activeContext, resumeContext, type RoutingContext } from '../context/routing-context.js'

type Handler = Dispatcher.DispatchHandler
type ParametersOf<Name extends keyof Handler> = Parameters<NonNullable<Handler[Name]>>

/** The contexts of the code that has made a call. */
export interface Caller {
  /** Undefined: it ran outside of any. */
  readonly context: RoutingContext | undefined
  /** OpenTelemetry's, which holds the members that it carries; undefined: the program has none. */
  readonly telemetry: Context | undefined
}

/** The contexts of the code that runs now. */
export function callerNow(): Caller {
  return { context: activeContext(), telemetry: activeTelemetry() }
}

/** What a call of the dispatcher is watched by. */
export interface CallWatch {
  readonly caller: Caller
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

/**
 * Wraps the handler of a call, and tells it everything in the context of the code that has made the call. Left alone it would hear of its
 * answer in the context of whoever opened the connection, which may be another tenant's: so would listeners to a body, and a redirect or
 * retry would be sent for that tenant. undici hands its handlers in two forms; its own `request` and Node's `fetch` have the older one.
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
    this.#watch.sent()
    resume(this.#watch.caller, tell.requestStart, this.#handler, controller, context)
  }

  onResponseStarted(): void {
    this.#handler.onResponseStarted?.()
  }

  onRequestUpgrade(...parameters: ParametersOf<'onRequestUpgrade'>): void {
    this.#answered = true
    this.#watch.upgraded()
    resume(this.#watch.caller, tell.requestUpgrade, this.#handler, ...parameters)
  }

  onResponseStart(...parameters: ParametersOf<'onResponseStart'>): void {
    this.#answered = true
    if (parameters[1] >= FIRST_FINAL_STATUS) this.#watch.answered(parameters[1])
    resume(this.#watch.caller, tell.responseStart, this.#handler, ...parameters)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    resume(this.#watch.caller, tell.responseData, this.#handler, controller, chunk)
  }

  onResponseEnd(...parameters: ParametersOf<'onResponseEnd'>): void {
    this.#watch.completed()
    resume(this.#watch.caller, tell.responseEnd, this.#handler, ...parameters)
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    const mayMove = !this.#answered && !controller?.aborted
    if (this.#watch.failed(error, this.#handler, mayMove)) return
    resume(this.#watch.caller, tell.responseError, this.#handler, controller, error)
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
    resume(this.#watch.caller, tell.connect, this.#handler, abort)
  }

  onUpgrade(...parameters: ParametersOf<'onUpgrade'>): void {
    this.#answered = true
    this.#watch.upgraded()
    resume(this.#watch.caller, tell.upgrade, this.#handler, ...parameters)
  }

  onResponseStarted(): void {
    this.#answered = true
    this.#handler.onResponseStarted?.()
  }

  onHeaders(...parameters: ParametersOf<'onHeaders'>): boolean {
    const [status] = parameters
    this.#answered = true
    if (status >= FIRST_FINAL_STATUS) this.#watch.answered(status)
    return resume(this.#watch.caller, tell.headers, this.#handler, ...parameters)
  }

  onData(chunk: Buffer): boolean {
    return resume(this.#watch.caller, tell.data, this.#handler, chunk)
  }

  onComplete(trailers: string[] | null): void {
    this.#watch.completed()
    resume(this.#watch.caller, tell.complete, this.#handler, trailers)
  }

  onBodySent(...parameters: ParametersOf<'onBodySent'>): void {
    this.#handler.onBodySent?.(...parameters)
  }

  onError(error: Error): void {
    if (this.#watch.failed(error, this.#handler, !this.#answered)) return
    resume(this.#watch.caller, tell.error, this.#handler, error)
  }
}

/** Calls `run` in the contexts of a caller. */
export function resume<P extends unknown[], T>({ context, telemetry }: Caller, run: (...told: P) => T, ...told: P): T {
  if (isActiveTelemetry(telemetry)) return resumeContext(context, run, ...told)
  return resumeTelemetry(telemetry, () => resumeContext(context, run, ...told))
}

type Controller = Dispatcher.DispatchController

/** The program's hooks as functions, so that to tell one of something takes no closure. */
const tell = {
  requestStart: (to: Handler, controller: Controller, context: unknown) => to.onRequestStart?.(controller, context),
  requestUpgrade: (to: Handler, ...parameters: ParametersOf<'onRequestUpgrade'>) =>
    to.onRequestUpgrade?.(...parameters),
  responseStart: (to: Handler, ...parameters: ParametersOf<'onResponseStart'>) => to.onResponseStart?.(...parameters),
  responseData: (to: Handler, controller: Controller, chunk: Buffer) => to.onResponseData?.(controller, chunk),
  responseEnd: (to: Handler, ...parameters: ParametersOf<'onResponseEnd'>) => to.onResponseEnd?.(...parameters),
  responseError: (to: Handler, controller: Controller, error: Error) => to.onResponseError?.(controller, error),
  connect: (to: Handler, abort: (error?: Error) => void) => to.onConnect?.(abort),
  upgrade: (to: Handler, ...parameters: ParametersOf<'onUpgrade'>) => to.onUpgrade?.(...parameters),
  headers: (to: Handler, ...parameters: ParametersOf<'onHeaders'>) => to.onHeaders?.(...parameters) ?? true,
  data: (to: Handler, chunk: Buffer) => to.onData?.(chunk) ?? true,
  complete: (to: Handler, trailers: string[] | null) => to.onComplete?.(trailers),
  error: (to: Handler, error: Error) => to.onError?.(error),
} as const

/** Watches a call that is neither counted nor moved. */
export function unwatched(caller: Caller): CallWatch {
  return { ...NOBODY, caller }
}

const NOBODY = {
  sent: () => undefined,
  answered: () => undefined,
  completed: () => undefined,
  upgraded: () => undefined,
  failed: () => false,
} as const
