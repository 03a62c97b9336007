import type { Endpoint } from '@tributary/contract'
import type { Dispatcher } from 'undici'
import { hideBaggageFromTelemetry, telemetryCarriesBaggage } from '../context/open-telemetry.js'
import type { RoutingContext } from '../context/routing-context.js'
import type { CallObserver, CountedCall } from '../observe/call-observer.js'
import { dispatchCounted } from '../observe/own-dispatch.js'
import { endpointUrl } from '../resolve/resolution.js'
import type { CallTarget } from './call-plan.js'
import { callerNow, routedHandler, type CallWatch } from './routed-handler.js'
import type { Lane, Lanes } from './service-connections.js'

/** The dispatcher that makes a call. */
export interface CallOwner {
  readonly lanes: Lanes
  /** Where a call goes that nobody has answered; undefined: it was sent and must not be repeated, or there is nowhere else. */
  readonly elsewhere: (call: RoutedCallOptions, wasSent: boolean) => Readonly<Endpoint> | undefined
}

/** A call to a service, as its dispatcher has judged it. */
export interface RoutedCallOptions {
  readonly owner: CallOwner
  /** The call's own copy, with the headers to send; its origin is set when it is sent. */
  readonly options: Dispatcher.DispatchOptions
  /** Where the program means to send it. */
  readonly target: CallTarget
  readonly service: string
  /** Where the service is for this call; undefined: the program has named an address. */
  readonly endpoint: Readonly<Endpoint> | undefined
  readonly context: RoutingContext
  /** Counts the call; undefined: it is left to undici's channels. */
  readonly observer: CallObserver | undefined
}

const SERVER_ERROR = 500

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

/** A call on its way to a service: which connection carries it, how it ends, and where else it may go. One object, made for every call. */
export class RoutedCall implements CallWatch, CountedCall {
  readonly service: string
  readonly tenant: string | null
  readonly startedAt: number
  readonly caller = callerNow()
  readonly #call: RoutedCallOptions
  #lane: Lane | undefined
  #isSent = false
  #isCounted = false
  #hasMoved = false

  constructor(call: RoutedCallOptions) {
    this.#call = call
    this.service = call.service
    this.tenant = call.context.tenant ?? null
    this.startedAt = call.observer?.monotonicMs() ?? 0
  }

  /** Dispatches the call; the program's handler hears of it. */
  send(origin: string, handler: Dispatcher.DispatchHandler): boolean {
    const { options, owner } = this.#call
    const lane = owner.lanes.take(origin)
    this.#lane = lane
    this.#isSent = false
    options.origin = origin
    const watched = routedHandler(handler, this)
    if (telemetryCarriesBaggage()) return hideBaggageFromTelemetry(() => this.#dispatch(lane, options, watched))
    return this.#dispatch(lane, options, watched)
  }

  sent(): void {
    this.#isSent = true
  }

  answered(status: number): void {
    this.#count(status >= SERVER_ERROR)
  }

  completed(): void {
    this.#release(true)
  }

  upgraded(): void {
    this.#count(false)
    this.#release(false)
  }

  failed(error: Error, handler: Dispatcher.DispatchHandler, mayMove: boolean): boolean {
    const wasSent = this.#isSent
    this.#release(!wasSent)
    const next =
      mayMove && !this.#hasMoved && isGone(error) ? this.#call.owner.elsewhere(this.#call, wasSent) : undefined
    if (next === undefined) {
      this.#count(true)
      return false
    }
    this.#hasMoved = true
    this.send(originOf(next), handler)
    return true
  }

  #dispatch(lane: Lane, options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (this.#call.observer === undefined) return lane.dispatcher.dispatch(options, handler)
    return dispatchCounted(lane.dispatcher, options, handler)
  }

  #release(isReusable: boolean): void {
    const lane = this.#lane
    this.#lane = undefined
    lane?.release(isReusable)
  }

  /** An answer may still break off after it was counted. */
  #count(failed: boolean): void {
    if (this.#isCounted) return
    this.#isCounted = true
    this.#call.observer?.ended(this, failed)
  }
}

const origins = new WeakMap<Readonly<Endpoint>, string>()

/** `http://host:port` of an endpoint, made once. */
export function originOf(endpoint: Readonly<Endpoint>): string {
  let origin = origins.get(endpoint)
  if (origin === undefined) origins.set(endpoint, (origin = endpointUrl(endpoint)))
  return origin
}

function isGone(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && GONE.has(error.code)
}
