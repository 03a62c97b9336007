import type { IncomingHttpHeaders } from 'node:http'
import type { Endpoint } from '@tributary/contract'
import type { StateListener, StateReport } from './client-state.js'
import type { Config } from './config/config-store.js'
import type { Routing } from './context/routing.js'
import type { DiagnosticCode } from './diagnostics.js'
import type { SelfCheck } from './health/self-check.js'
import type { ReceivedCallback } from './messaging/callbacks.js'
import type { LifetimeOptions, RestoredContext } from './messaging/capsules.js'
import type { Messages } from './messaging/messages.js'
import type { ProbeResponse } from './probe/probe-responder.js'
import type { Registration, RegisterOptions } from './registration/registration.js'
import type { Resolution } from './resolve/resolution.js'
import type { ResolutionHandler } from './resolve/resolution-watchers.js'
import type { ResolveOptions } from './resolve/resolver.js'

/**
 * A client of the config center, made by `connect()`. Reads are answered from memory: they never wait, and never throw because
 * of an outage.
 */
export interface Tributary {
  /** This process's own tenant. */
  readonly tenant: string
  /** This service; undefined for a client without one. */
  readonly service: string | undefined
  /** How this process is named among subscribers and instances. */
  readonly instance: string
  /** State and reason now. */
  readonly status: StateReport
  /** True once there is something to read: live, stale or from the disk snapshot. */
  readonly holdsView: boolean
  /** The store revision up to which everything is held; undefined before the first view. */
  readonly appliedRevision: string | undefined
  /** Why newer config values are not in use: what schemas and change handlers refused. Empty when all is well. */
  readonly reloadErrors: readonly string[]
  /** How often each diagnostic was reported, for metrics. */
  readonly diagnosticCounts: Readonly<Partial<Record<DiagnosticCode, number>>>
  /** The config document of this service. */
  readonly config: Config
  /** Judges the routing contexts of requests and calls; what the middleware and the dispatchers use. */
  readonly routing: Routing

  /** Judges messages and gives them their headers; what the adapters of brokers use. */
  readonly messages: Messages

  /** Calls `listener(now, before)` at each change of state. Returns the unsubscription. */
  onStateChange(listener: StateListener): () => void

  /**
   * Where calls to `service` go, for the tenant of the current routing context, else the own one. A frozen object from a cache; never
   * throws.
   * @example client.resolve('orders', { tenant }).url
   */
  resolve(service: string, options?: ResolveOptions): Resolution

  /**
   * One endpoint of the service: those with the primary one's port name and protocol take turns (round robin for each tenant and
   * service, in this process). Undefined when masked or missing.
   */
  pick(service: string, options?: ResolveOptions): Readonly<Endpoint> | undefined

  /**
   * The URL of `path` at the endpoint that {@link pick} gives.
   * @throws AppError `SERVICE_MASKED`, `SERVICE_NOT_FOUND`, or `SDK_NOT_READY` when no view is held yet
   */
  urlFor(service: string, path: string, options?: ResolveOptions): string

  /**
   * Every service that a tenant sees, masked ones included, in order of their names; empty before the first view. Default, whatever the current
   * routing context is, and for a tenant that the route table does not have: the own tenant.
   */
  services(options?: Pick<ResolveOptions, 'tenant'>): readonly Resolution[]

  /** Calls `handler` when {@link services} answers something else: one came, went or resolves differently. Returns the unsubscription. */
  onServicesChange(handler: () => void): () => void

  /**
   * Calls `handler` when anything of the route table changes: a tenant of the own root's tree, its chain, or who owns what where. For gateways and
   * controllers; a service wants {@link onServicesChange}. Returns the unsubscription.
   */
  onRoutesChange(handler: () => void): () => void

  /** Calls `handler(now, before)` when the service resolves differently, by default for the own tenant. Returns the unsubscription. */
  onResolve(service: string, handler: ResolutionHandler, options?: ResolveOptions): () => void

  /**
   * Registers this process as an instance of its service under a lease, with heartbeats at a third of the time to live, until the
   * registration or the client is closed. Resolves once it is confirmed; an outage is waited out.
   * @throws AppError `SDK_REGISTRATION_REFUSED`, `SDK_OPTIONS_INVALID` without a service, `SDK_CLOSED`
   */
  register(options: RegisterOptions): Promise<Registration>

  /**
   * True when this process's tenant handles a message or stored work of `tenant` for `service` now: its own copy where the tenant sees
   * one, the baseline otherwise, also for a tenant that is gone and for none. `messages.decide` tells why, and who else.
   */
  shouldHandle(service: string, tenant: string | undefined): boolean

  /**
   * The current routing context as a signed text, for an outbox row, a timer, a cron job or the `state` of an OAuth request. It holds the
   * tenant and an end, nothing else; at most 200 characters, safe in URLs.
   * @throws AppError `SDK_CONTEXT_KEY_MISSING`, `SDK_OPTIONS_INVALID`
   */
  capture(options?: LifetimeOptions): string

  /**
   * Reads what {@link capture} made, in any process with the same key.
   * @throws AppError `SDK_CONTEXT_KEY_MISSING`; a forged, expired or orphaned capsule is an answer
   */
  restore(capsule: string): RestoredContext

  /**
   * A URL that brings a third party's call back into the environment of the current routing context, although it drops all headers. It
   * points at the baseline's public address, which outlives every environment. Signed are tenant, service, path and end; not the query.
   * @throws AppError `SDK_CONTEXT_KEY_MISSING`, `SDK_PUBLIC_URL_MISSING`, `SDK_NOT_READY`, `SERVICE_MASKED`, `SDK_OPTIONS_INVALID`
   */
  callbackUrl(service: string, path: string, options?: LifetimeOptions): string

  /**
   * Judges the target (path and query) of a request to this service; `createCallbackHandler` acts on the answer.
   * @throws AppError `SDK_CONTEXT_KEY_MISSING`, `SDK_OPTIONS_INVALID`; both for callbacks only
   */
  receiveCallback(target: string): ReceivedCallback

  /**
   * Answers a probe of the platform (`tributary probe`) from this request's routing context, instead of the program. The middleware
   * calls it; call it where you write your own. False: it is an ordinary request.
   */
  answerProbe(request: { readonly headers: IncomingHttpHeaders }, response: ProbeResponse): boolean

  /** State, revision and the dependencies, each resolved and tried by a TCP connect of at most `timeoutMs` (default 1,000). */
  selfCheck(options?: { readonly timeoutMs?: number }): Promise<SelfCheck>

  /** Deregisters, writes the snapshot, ends the stream and all timers. Reads still give the last values. Idempotent. */
  close(): Promise<void>
}
