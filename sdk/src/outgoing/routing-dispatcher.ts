import type { Endpoint } from '@tributary/contract'
import { Agent, Dispatcher } from 'undici'
import {
  hideBaggageFromTelemetry,
  hideTenantFromTelemetry,
  telemetryCarriesBaggage,
} from '../context/open-telemetry.js'
import { runWithContext, type RoutingContext } from '../context/routing-context.js'
import type { EndOfCall } from '../observe/call-observer.js'
import { dispatchCounted } from '../observe/own-dispatch.js'
import { endpointUrl } from '../resolve/resolution.js'
import type { Tributary } from '../tributary.js'
import { endpointElsewhere, planCall, type CallPlan, type CallTarget } from './call-plan.js'
import { editHeaders } from './dispatch-headers.js'
import { baggageToOutside, baggageToService } from './outgoing-baggage.js'
import { routedHandler } from './routed-handler.js'

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
 * A safe request without a body whose connection fails before any answer is sent once more when the service is elsewhere by then.
 * A service that is masked or missing fails the call with `SERVICE_MASKED` or `SERVICE_NOT_FOUND`.
 */
export class RoutingDispatcher extends Dispatcher {
  readonly #client: Tributary
  readonly #system: Agent
  readonly #outside: Dispatcher
  readonly #ownsOutside: boolean
  readonly #isUnlimited: boolean
  readonly #targets = new Map<string, CallTarget>()

  constructor(client: Tributary, { agent = {}, outside }: DispatcherOptions = {}) {
    super()
    this.#client = client
    this.#system = new Agent(agent)
    this.#outside = outside ?? new Agent(agent)
    this.#ownsOutside = outside === undefined
    this.#isUnlimited = agent.connections === undefined && agent.factory === undefined
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    let plan: CallPlan
    try {
      plan = planCall(this.#client, this.#target(options.origin))
    } catch (error) {
      fail(handler, error instanceof Error ? error : new Error(String(error)))
      return false
    }
    if (plan.kind === 'outside') return this.#toOutside(options, handler)
    return this.#toService(options, handler, plan)
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

  get #owned(): readonly Dispatcher[] {
    return this.#ownsOutside ? [this.#system, this.#outside] : [this.#system]
  }

  #toOutside(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const headers = editHeaders(options.headers, { baggage: baggageToOutside })
    return hideTenantFromTelemetry(() => this.#outside.dispatch({ ...options, headers }, handler))
  }

  #toService(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
    plan: Exclude<CallPlan, { kind: 'outside' }>,
  ): boolean {
    const context = this.#client.routing.contextOfCall()
    const ended = this.#observe(options, plan.service, context)
    const headers = editHeaders(options.headers, {
      baggage: (written) => baggageToService(context, written),
      caller: ended === undefined ? undefined : this.#client.service,
    })
    const send = (origin: string | URL, to: Dispatcher.DispatchHandler): boolean => {
      const routed = { ...options, origin, headers }
      const dispatch = (): boolean => this.#system.dispatch(routed, to)
      const counted = ended === undefined ? dispatch : (): boolean => dispatchCounted(dispatch)
      return telemetryCarriesBaggage() ? hideBaggageFromTelemetry(counted) : counted()
    }
    if (plan.kind === 'address') {
      return send(
        options.origin ?? '',
        ended === undefined ? handler : routedHandler(handler, { ended, reroute: undefined }),
      )
    }
    const reroute = (to: Dispatcher.DispatchHandler): boolean => {
      const target = this.#target(options.origin)
      const next = runWithContext(context, () => endpointElsewhere(this.#client, target, plan.endpoint))
      if (next !== undefined) send(originOf(next), to)
      return next !== undefined
    }
    const watch = { ended, reroute: isRepeatable(options) ? reroute : undefined }
    return send(originOf(plan.endpoint), routedHandler(handler, watch))
  }

  /**
   * A call that bears a tenant is counted here; undefined: it is left to undici's channels, which tell more of a call that may have lost
   * one, and of calls that wait for a connection.
   */
  #observe(options: Dispatcher.DispatchOptions, service: string, context: RoutingContext): EndOfCall | undefined {
    const { tenant } = context
    if (tenant === undefined || !this.#isUnlimited) return undefined
    const { method, path } = options
    return this.#client.routing.observer.call({ service, method, path, tenant, context, traceId: undefined })
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
  return {
    host: hostname,
    port: port === '' ? undefined : Number(port),
    defaultPort: protocol === 'https:' ? 443 : 80,
    protocols: ['http', 'https'],
  }
}

const origins = new WeakMap<Readonly<Endpoint>, string>()

function originOf(endpoint: Readonly<Endpoint>): string {
  let origin = origins.get(endpoint)
  if (origin === undefined) origins.set(endpoint, (origin = endpointUrl(endpoint)))
  return origin
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
