import { EventEmitter } from 'node:events'
import type { ObservedRequest } from '../observe/call-observer.js'
import { ServedRequest } from '../observe/served-request.js'
import { hideTenantFromTelemetry, telemetryCarriesBaggage, telemetryMembers } from './open-telemetry.js'
import { activeContext, runWithContext, type RoutingContext } from './routing-context.js'
import type { Routing } from './routing.js'

const ENTERED = Symbol('tributary.routing-context')

type Entered = EventEmitter & { [ENTERED]?: RoutingContext }

/** The two ends of an HTTP exchange, HTTP/1 or HTTP/2. */
export interface Exchange {
  readonly request: Entered & ObservedRequest
  readonly response: Entered
}

/**
 * Calls `run` in the routing context of a request; every incoming HTTP request goes through here. Listeners on the request and the
 * response run in it too: node emits their events from the socket, which knows no request. Entering twice is entering once.
 */
export function enterRequest<T>(routing: Routing, { request, response }: Exchange, run: () => T): T {
  const entered = request[ENTERED]
  if (entered !== undefined) return runWithContext(entered, run)
  const isCarried = telemetryCarriesBaggage()
  const context = serve(routing, request, isCarried)
  bindEvents(request, context, emitInContext)
  bindEvents(response, context, emitUntilClosed)
  return isCarried ? runWithTelemetry(context, run) : runWithContext(context, run)
}

/** An HTTP/2 stream, which is both ends of its exchange, and the request that opened it. */
export interface StreamExchange {
  readonly stream: Entered
  readonly request: ObservedRequest
}

/** {@link enterRequest} for a stream of node:http2. */
export function enterStream<T>(routing: Routing, { stream, request }: StreamExchange, run: () => T): T {
  const entered = stream[ENTERED]
  if (entered !== undefined) return runWithContext(entered, run)
  const isCarried = telemetryCarriesBaggage()
  const context = serve(routing, request, isCarried)
  bindEvents(stream, context, emitUntilClosed)
  return isCarried ? runWithTelemetry(context, run) : runWithContext(context, run)
}

/** `isCarried`: OpenTelemetry carries baggage for the request. */
function serve(routing: Routing, request: ObservedRequest, isCarried: boolean): RoutingContext {
  const accepted = routing.accept(headerText(request.headers['baggage']))
  return routing.observer.serve(isCarried ? withoutTelemetry(accepted) : accepted, request)
}

function runWithTelemetry<T>(context: RoutingContext, run: () => T): T {
  return hideTenantFromTelemetry(() => runWithContext(context, run))
}

/** Members that OpenTelemetry carries are its own from here on: the program changes and removes them through its API. */
function withoutTelemetry(context: RoutingContext): RoutingContext {
  const carried = context.baggage.length === 0 ? undefined : telemetryMembers()
  if (carried === undefined) return context
  const keys = new Set(carried.map(({ key }) => key))
  return Object.freeze({ ...context, baggage: context.baggage.filter(({ key }) => !keys.has(key)) })
}

type Emit = (this: Entered, ...parameters: Parameters<EventEmitter['emit']>) => boolean

/** Most emitters have node's own `emit`: one function serves them all, so that a request costs no closures. */
function bindEvents(emitter: Entered, context: RoutingContext, emitBound: Emit): void {
  emitter[ENTERED] = context
  if (emitter.emit === emitOfNode) {
    emitter.emit = emitBound
    return
  }
  const emitOfOther = emitter.emit.bind(emitter)
  emitter.emit = (...parameters) => {
    if (emitBound === emitUntilClosed) endWith(context, parameters[0])
    return runWithContext(context, emitOfOther, ...parameters)
  }
}

// oxlint-disable-next-line typescript/unbound-method -- always called with the emitter as `this`
const emitOfNode = EventEmitter.prototype.emit

function emitInContext(this: Entered, ...parameters: Parameters<EventEmitter['emit']>): boolean {
  const context = this[ENTERED]
  // Most events of an exchange have no listener, and most of the others come where the context is already the right one.
  if (context === undefined || this.listenerCount(parameters[0]) === 0 || activeContext() === context) {
    return emitOfNode.apply(this, parameters)
  }
  return runWithContext(context, emit, this, parameters)
}

/** {@link emitInContext} of what tells the end of an exchange: a listener of its own would cost each request more. */
function emitUntilClosed(this: Entered, ...parameters: Parameters<EventEmitter['emit']>): boolean {
  endWith(this[ENTERED], parameters[0])
  return emitInContext.apply(this, parameters)
}

function endWith(context: RoutingContext | undefined, event: string | symbol): void {
  if (event === 'close') ServedRequest.find(context)?.end()
}

function emit(emitter: EventEmitter, parameters: Parameters<EventEmitter['emit']>): boolean {
  return emitOfNode.apply(emitter, parameters)
}

/** node joins repeated headers itself; other servers may hand on a list. */
function headerText(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' || value === undefined ? value : value.join(',')
}
