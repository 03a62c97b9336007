import type { BaggageMember } from '../context/baggage.js'
import type { RoutingContext } from '../context/routing-context.js'
import type { CallObserver, ObservedRequest, Serving } from './call-observer.js'
import type { RequestsInFlight, TenantInFlight } from './requests-in-flight.js'
import type { RouteLabels } from './route-labels.js'
import { traceIdOf } from './trace-id.js'

/** What all requests of one process share. */
export interface ServingProcess {
  readonly observer: CallObserver
  readonly labels: RouteLabels
  readonly inFlight: RequestsInFlight
}

/**
 * The routing context of one request and what is remembered of the request, in one object: it is made for every request. What is only
 * told of leaks is worked out when there is one.
 */
export class ServedRequest implements RoutingContext, Serving {
  readonly tenant: string | undefined
  readonly origin: RoutingContext['origin']
  readonly baggage: readonly BaggageMember[]
  readonly #process: ServingProcess
  readonly #traceId: string | undefined
  readonly #method: string
  readonly #path: string
  readonly #route: string | undefined
  #inFlight: TenantInFlight | undefined

  private constructor(process: ServingProcess, { tenant, origin, baggage }: RoutingContext, request: ObservedRequest) {
    this.tenant = tenant
    this.origin = origin
    this.baggage = baggage
    this.#process = process
    this.#traceId = traceIdOf(request.headers['traceparent'])
    this.#method = request.method ?? ''
    this.#path = request.url ?? '/'
    this.#route = request.route
  }

  /** Counts a request as being served, until {@link end}. */
  static begin(process: ServingProcess, context: RoutingContext, request: ObservedRequest): ServedRequest {
    const served = new ServedRequest(process, context, request)
    served.#inFlight = process.inFlight.add(served)
    return served
  }

  /** The request that is served in a context; undefined when it is none, or nobody observes. */
  static find(context: RoutingContext | undefined): ServedRequest | undefined {
    return context !== undefined && #process in context ? context : undefined
  }

  get observer(): CallObserver {
    return this.#process.observer
  }

  get namedTenant(): string | undefined {
    return this.origin === 'request' ? this.tenant : undefined
  }

  get traceId(): string | undefined {
    return this.#traceId
  }

  get route(): string {
    return this.#route ?? this.#process.labels.of(this.#method, this.#path)
  }

  /** Its response was closed. */
  end(): void {
    if (this.#inFlight !== undefined) this.#process.inFlight.remove(this.#inFlight)
    this.#inFlight = undefined
  }
}
