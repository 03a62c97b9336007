import type { EventEmitter } from 'node:events'
import type { ObservedRequest } from '../observe/call-observer.js'
import { hideTenantFromTelemetry, telemetryMembers } from './open-telemetry.js'
import { runWithContext, type RoutingContext } from './routing-context.js'
import type { Routing } from './routing.js'

const ENTERED = Symbol('tributary.routing-context')

/** The two ends of an HTTP exchange, HTTP/1 or HTTP/2. */
export interface Exchange {
  readonly request: EventEmitter & ObservedRequest & { [ENTERED]?: RoutingContext }
  readonly response: EventEmitter
}

/**
 * Calls `run` in the routing context of a request; every incoming HTTP request goes through here. Listeners on the request and the
 * response run in it too: node emits their events from the socket, which knows no request. Entering twice is entering once.
 */
export function enterRequest<T>(routing: Routing, { request, response }: Exchange, run: () => T): T {
  const entered = request[ENTERED]
  if (entered !== undefined) return runWithContext(entered, run)
  const accepted = withoutTelemetry(routing.accept(headerText(request.headers['baggage'])))
  const context = routing.observer.serve(accepted, request, response)
  request[ENTERED] = context
  bindEvents(request, context)
  bindEvents(response, context)
  return hideTenantFromTelemetry(() => runWithContext(context, run))
}

/** Members that OpenTelemetry carries are its own from here on: the program changes and removes them through its API. */
function withoutTelemetry(context: RoutingContext): RoutingContext {
  const carried = context.baggage.length === 0 ? undefined : telemetryMembers()
  if (carried === undefined) return context
  const keys = new Set(carried.map(({ key }) => key))
  return Object.freeze({ ...context, baggage: context.baggage.filter(({ key }) => !keys.has(key)) })
}

function bindEvents(emitter: EventEmitter, context: RoutingContext): void {
  const emit = emitter.emit.bind(emitter)
  emitter.emit = (...parameters) => runWithContext(context, () => emit(...parameters))
}

/** node joins repeated headers itself; other servers may hand on a list. */
function headerText(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' || value === undefined ? value : value.join(',')
}
