import { CALLER_HEADER, PROBE_HEADER } from '@tributary/contract/light'
import type { RoutingContext } from '../context/routing-context.js'
import { CallCounter, type SeenLeak } from './call-counter.js'
import type { CallObserver, CountedCall, EndOfCall, ObservedRequest, OutgoingCall } from './call-observer.js'
import { RequestsInFlight } from './requests-in-flight.js'
import { UnservedRequests, type ArrivedRequest, type ArrivedResponse } from './unserved-requests.js'
import { RouteLabels } from './route-labels.js'
import { isServiceName } from '../wire/wire-guards.js'
import { ServedRequest, type ServingProcess } from './served-request.js'

/** What an observer needs to know of the process that it watches. */
export interface ProcessObserverOptions {
  readonly service: string
  readonly tenant: string
  /** The tenant whose copy of this service should get the requests of `tenant`; null: none, on purpose or not. */
  readonly ownerFor: (tenant: string) => string | null
  /** The tenant that this process stamps on calls that bear none; undefined in a baseline process. */
  readonly ownStamp: () => string | undefined
  readonly monotonicMs: () => number
  /** Called when something was counted that is to be reported: soon, when it is the first leak of its kind. */
  readonly onCounted: (urgency: 'soon' | 'later') => void
  /** Called with one sentence for the first leak of a series since the last report. */
  readonly onLeak: (message: string) => void
}

/** Calls that were made while no request was being served are the process's own work; so many different ones are remembered. */
const MAX_OWN_WORK = 500

/**
 * Counts the calls of one process and finds those that lost the routing context:
 *
 * | what is seen | leak |
 * | --- | --- |
 * | a request of a tenant comes in, and another copy of this service is that tenant's | `misrouted` |
 * | the code that calls runs in a tenant's context, but the call bears no tenant | `dropped` |
 * | the code runs outside of any context, and the call's trace is that of a request of a tenant | `dropped` |
 * | the same, without a trace, while requests of tenants are being served | `suspected`, unless the same call is also made when none are |
 *
 * Requests that no middleware has taken count as being served: where it is missing, every call is one without a context.
 *
 * A call outside of any context in a process of a feature environment counts for that environment, whose stamp it should bear.
 */
export class ProcessObserver implements CallObserver {
  readonly counter = new CallCounter()
  readonly #options: ProcessObserverOptions
  readonly #inFlight = new RequestsInFlight()
  readonly #serving: ServingProcess = { observer: this, labels: new RouteLabels(), inFlight: this.#inFlight }
  readonly #outgoing = new RouteLabels()
  readonly #ownWork = new Set<string>()
  readonly #unserved = new UnservedRequests()

  constructor(options: ProcessObserverOptions) {
    this.#options = options
  }

  serve(context: RoutingContext, request: ObservedRequest): RoutingContext {
    this.#unserved.remove(request)
    // A probe is no call of the system's: it would be counted where it looks for mistakes.
    if (request.headers[PROBE_HEADER] !== undefined) return context
    const served = ServedRequest.begin(this.#serving, context, request)
    if (served.namedTenant !== undefined) this.#checkArrival(served.namedTenant, served, request)
    return served
  }

  call(call: OutgoingCall): EndOfCall {
    this.#checkDeparture(call)
    const tenant = call.tenant ?? call.context?.tenant ?? this.#options.ownStamp() ?? null
    const counted = { tenant, service: call.service, startedAt: this.monotonicMs() }
    let isEnded = false
    return (failed) => {
      if (isEnded) return
      isEnded = true
      this.ended(counted, failed)
    }
  }

  ended({ tenant, service: to, startedAt }: CountedCall, failed: boolean): void {
    this.counter.countCall({ tenant, to, failed, durationMs: this.monotonicMs() - startedAt })
    this.#options.onCounted('later')
  }

  monotonicMs(): number {
    return this.#options.monotonicMs()
  }

  arrive(request: ArrivedRequest, response: ArrivedResponse): void {
    this.#unserved.add(request, response)
  }

  #checkArrival(tenant: string, served: ServedRequest, request: ObservedRequest): void {
    const owner = this.#options.ownerFor(tenant)
    if (owner === null || owner === this.#options.tenant) return
    const { route, traceId } = served
    this.#count({ kind: 'misrouted', tenant, peer: callerOf(request), route, traceId })
  }

  #checkDeparture(call: OutgoingCall): void {
    if (call.tenant !== undefined) return
    const { service: peer, context } = call
    const expected = context?.tenant ?? this.#options.ownStamp()
    const serving = ServedRequest.find(context) ?? this.#inFlight.ofTrace(call.traceId)
    const tenant = expected ?? (context === undefined ? serving?.namedTenant : undefined)
    if (tenant !== undefined) {
      const route = serving?.route ?? call.route ?? this.#outgoing.of(call.method, call.path)
      this.#count({ kind: 'dropped', tenant, peer, route, traceId: call.traceId ?? serving?.traceId })
    } else if (context === undefined && serving === undefined) this.#suspect(call)
  }

  /** A call of nobody in a baseline process: its own work, or a context that was lost on the way. */
  #suspect(call: OutgoingCall): void {
    const { service: peer, method, path, traceId } = call
    const route = call.route ?? this.#outgoing.of(method, path)
    const [traced] = traceId === undefined ? [] : this.#known(this.#unserved.tenants(traceId))
    if (traced !== undefined) return this.#count({ kind: 'dropped', tenant: traced, peer, route, traceId })
    const unserved = this.#known(this.#unserved.tenants())
    const key = `${peer} ${route}`
    const isIdle = this.#inFlight.size === 0 && unserved.length === 0
    if (isIdle && this.#ownWork.size < MAX_OWN_WORK) this.#ownWork.add(key)
    if ((!this.#inFlight.hasTenants && unserved.length === 0) || this.#ownWork.has(key)) return
    this.#count({ kind: 'suspected', tenant: this.#onlyTenant(unserved), peer, route, traceId })
  }

  /** The tenant of every request that is being served, by the middleware or without it; null when there are several. */
  #onlyTenant(unserved: readonly string[]): string | null {
    if (unserved.length === 0) return this.#inFlight.onlyTenant ?? null
    const [only = null, ...others] = unserved
    const isAlone = others.length === 0 && (this.#inFlight.size === 0 || this.#inFlight.onlyTenant === only)
    return isAlone ? only : null
  }

  #known(tenants: ReadonlySet<string>): readonly string[] {
    return [...tenants].filter((tenant) => this.#options.ownerFor(tenant) !== null)
  }

  #count(leak: SeenLeak): void {
    const isFirst = this.counter.countLeak(leak)
    this.#options.onCounted(isFirst ? 'soon' : 'later')
    if (isFirst) this.#options.onLeak(this.#describe(leak))
  }

  #describe({ kind, tenant, peer, route }: SeenLeak): string {
    const { service } = this.#options
    const whose = tenant === null ? 'one of several tenants' : tenant
    if (kind === 'misrouted') {
      return `${peer ?? 'an unknown caller'} -> ${service}: ${route} of ${whose} came here, where it does not belong; the caller did not resolve by the routing context`
    }
    if (kind === 'dropped')
      return `${service} -> ${peer}: ${whose} was lost while serving ${route}; see the guide on propagation`
    return `${service} -> ${peer}: ${route} was called without a routing context while ${whose} was served; wrap the process’s own work in runWithTenant(undefined, …)`
  }
}

function callerOf({ headers }: ObservedRequest): string | null {
  const caller = headers[CALLER_HEADER]
  return isServiceName(caller) ? caller : null
}
