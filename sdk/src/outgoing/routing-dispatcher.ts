import type { Endpoint } from '@tributary/contract'
import { Agent, Dispatcher } from 'undici'
import { hideTenantFromTelemetry } from '../context/open-telemetry.js'
import { runWithContext } from '../context/routing-context.js'
import type { Tributary } from '../tributary.js'
import { endpointElsewhere, planCall, type CallPlan, type CallTarget } from './call-plan.js'
import { editHeaders } from './dispatch-headers.js'
import { baggageToOutside, baggageToService } from './outgoing-baggage.js'
import { originOf, RoutedCall, type CallOwner, type RoutedCallOptions } from './routed-call.js'
import { callerNow, routedHandler, unwatched } from './routed-handler.js'
import { createLanes, type Lanes } from './service-connections.js'
import { uploadBody } from './upload-body.js'

/** Settings of {@link createDispatcher}. */
export interface DispatcherOptions {
  /** Pools, timeouts and TLS of connections to services of the system. */
  readonly agent?: Agent.Options
  /** Takes calls to everybody else, for example a `ProxyAgent`; its owner closes it. Default: an agent with the same options. */
  readonly outside?: Dispatcher
}

/** RFC 9110, 9.2.1. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
/** Origins are few, but they may come from data: parsed ones are remembered up to this many. */
const MAX_ORIGINS = 1_000

/**
 * An undici dispatcher that sends `http://orders/…` to the copy of `orders` that the current request's tenant sees, with its routing
 * context, and keeps the context from everybody else. Calls to other hosts pass. Redirects must be followed above it
 * (`dispatcher.compose(interceptors.redirect())`, as `fetch` does it): each hop is then judged anew.
 *
 * A request whose connection cannot be made is sent where the service is by then, if that is elsewhere; one that was sent and not answered
 * only when it is safe and has no body.
 * `https://orders/…` goes to an `https` endpoint and never in the clear; `http://orders/…` to an `http` one, else to an `https` one. A
 * service that is masked, missing or without such an endpoint fails the call with `SERVICE_MASKED` or `SERVICE_NOT_FOUND`.
 */
export class RoutingDispatcher extends Dispatcher {
  readonly #client: Tributary
  readonly #system: Lanes
  readonly #owner: CallOwner
  readonly #outside: Dispatcher
  readonly #ownsOutside: boolean
  readonly #isUnlimited: boolean
  readonly #targets = new Map<string, CallTarget>()

  constructor(client: Tributary, { agent = {}, outside }: DispatcherOptions = {}) {
    super()
    this.#client = client
    this.#system = createLanes(agent)
    this.#owner = { lanes: this.#system, elsewhere: (call, wasSent) => this.#elsewhere(call, wasSent) }
    this.#outside = outside ?? new Agent(agent)
    this.#ownsOutside = outside === undefined
    this.#isUnlimited = agent.connections === undefined && agent.factory === undefined
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const target = this.#target(options.origin)
    let plan: CallPlan
    try {
      plan = planCall(this.#client, target)
    } catch (error) {
      fail(handler, error instanceof Error ? error : new Error(String(error)))
      return false
    }
    if (plan.kind === 'outside') return this.#toOutside(options, handler)
    const origin = plan.kind === 'service' ? originOf(plan.endpoint) : String(options.origin)
    return this.#toService(options, plan, target).send(origin, handler)
  }

  override close(listener: () => void): void
  override close(): Promise<void>
  override close(listener?: () => void): Promise<void> | void {
    return settle(
      this.#owned.map((agent) => agent.close()),
      listener,
    )
  }

  override destroy(reason: Error | null, listener: () => void): void
  override destroy(listener: () => void): void
  override destroy(reason?: Error | null): Promise<void>
  override destroy(reason?: Error | null | (() => void), listener?: () => void): Promise<void> | void {
    const cause = reason instanceof Error ? reason : null
    return settle(
      this.#owned.map((agent) => agent.destroy(cause)),
      typeof reason === 'function' ? reason : listener,
    )
  }

  get #owned(): readonly Pick<Lanes, 'close' | 'destroy'>[] {
    return this.#ownsOutside ? [this.#system, this.#outside] : [this.#system]
  }

  #toOutside(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const headers = editHeaders(options.headers, { baggage: baggageToOutside })
    const told = routedHandler(handler, unwatched(callerNow()))
    const sent = { ...options, headers, body: uploadBody(options.body) }
    return hideTenantFromTelemetry(() => this.#outside.dispatch(sent, told))
  }

  #toService(
    options: Dispatcher.DispatchOptions,
    { service, endpoint }: Exclude<CallPlan, { kind: 'outside' }>,
    target: CallTarget,
  ): RoutedCall {
    const { routing, service: caller } = this.#client
    const context = routing.contextOfCall()
    // A call that bears no tenant is left to undici's channels, which tell more of one that may have lost it, and so are those that wait for
    // a connection.
    const observer = context.tenant === undefined || !this.#isUnlimited ? undefined : routing.observer
    const headers = editHeaders(options.headers, {
      baggage: (written) => baggageToService(context, written),
      caller: observer === undefined ? undefined : caller,
    })
    const sent = { ...options, headers, body: uploadBody(options.body) }
    return new RoutedCall({ owner: this.#owner, options: sent, target, service, endpoint, context, observer })
  }

  /** Where a call goes that nobody has answered. */
  #elsewhere(call: RoutedCallOptions, wasSent: boolean): Readonly<Endpoint> | undefined {
    const { options, target, endpoint, context } = call
    if (endpoint === undefined || (wasSent && !isRepeatable(options))) return undefined
    return runWithContext(context, endpointElsewhere, this.#client, target, endpoint)
  }

  #target(origin: Dispatcher.DispatchOptions['origin']): CallTarget {
    const text = String(origin)
    const known = this.#targets.get(text)
    if (known !== undefined) return known
    if (this.#targets.size >= MAX_ORIGINS) this.#targets.clear()
    const target = parseTarget(text)
    this.#targets.set(text, target)
    return target
  }
}

function parseTarget(origin: string): CallTarget {
  const { hostname, port, protocol } = URL.canParse(origin) ? new URL(origin) : { hostname: '', port: '', protocol: '' }
  const isSecure = protocol === 'https:'
  return {
    host: hostname,
    port: port === '' ? undefined : Number(port),
    defaultPort: isSecure ? 443 : 80,
    // Who asks for TLS never gets a call in the clear; the other way round, TLS is more than was asked for.
    protocols: isSecure ? ['https'] : ['http', 'https'],
  }
}

function isRepeatable({ method, body, upgrade }: Dispatcher.DispatchOptions): boolean {
  return SAFE.has(method) && (body === null || body === undefined) && !upgrade
}

/** What undici does with a request that it cannot take. */
function fail(handler: Dispatcher.DispatchHandler, error: Error): void {
  if (handler.onRequestStart === undefined && handler.onError !== undefined) handler.onError(error)
  else throw error
}

function settle(pending: readonly Promise<void>[], listener: (() => void) | undefined): Promise<void> | void {
  const settled = Promise.all(pending).then(() => undefined)
  if (listener === undefined) return settled
  void settled.finally(listener)
}
