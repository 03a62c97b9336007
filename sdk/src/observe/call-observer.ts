import type { IncomingHttpHeaders } from 'node:http'
import type { RoutingContext } from '../context/routing-context.js'
import type { ArrivedRequest, ArrivedResponse } from './unserved-requests.js'

/** A request that a process has taken, as far as an observer looks at it. */
export interface ObservedRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
  /** Its label, where the protocol has a closed set of them; else it is worked out of method and URL. */
  readonly route?: string
}

/** What a request that is being served was, for calls that are made on its behalf. */
export interface Serving {
  readonly observer: CallObserver
  /** The tenant that it named; undefined: none. */
  readonly namedTenant: string | undefined
  /** Label of bounded variety, e.g. `POST /orders/:id`. */
  readonly route: string
  readonly traceId: string | undefined
}

/** A call that a process is about to make to a service of the system. */
export interface OutgoingCall {
  readonly service: string
  readonly method: string
  readonly path: string
  /** As in {@link ObservedRequest}. */
  readonly route?: string
  /** The tenant that the call bears on the wire; undefined: none. */
  readonly tenant: string | undefined
  readonly traceId: string | undefined
  /** The context of the code that makes it; undefined: it runs outside of any. */
  readonly context: RoutingContext | undefined
}

/** A call that bears its tenant, counted by whoever makes it. */
export interface CountedCall {
  readonly tenant: string | null
  readonly service: string
  /** By {@link CallObserver.monotonicMs}. */
  readonly startedAt: number
}

/** Told once how a call ended: true when there was no answer, or one of status 500 and above. */
export type EndOfCall = (failed: boolean) => void

/**
 * Watches where routing contexts go. Everything here runs on the path of requests: it returns at once, never throws, and keeps nothing
 * but counts of bounded variety.
 */
export interface CallObserver {
  /**
   * A request begins to be served in `context`. Answers the context to serve it in, by which its calls are known as its own. The request
   * is served until whoever serves it ends it: `ServedRequest.find(context)?.end()`.
   */
  serve(context: RoutingContext, request: ObservedRequest): RoutingContext

  /** A call goes out. */
  call(call: OutgoingCall): EndOfCall

  /** A call that needed no {@link call}, because it bears its tenant, has ended; told once, as {@link EndOfCall} has it. */
  ended(call: CountedCall, failed: boolean): void

  /** The time by which calls are measured. */
  monotonicMs(): number

  /** A request has reached node's server, before any code of the program. It is {@link serve}d by the middleware, if there is one. */
  arrive(request: ArrivedRequest, response: ArrivedResponse): void
}

/** Observes nothing. */
export const NO_OBSERVER: CallObserver = {
  serve: (context) => context,
  call: () => () => undefined,
  ended: () => undefined,
  monotonicMs: () => 0,
  arrive: () => undefined,
}
