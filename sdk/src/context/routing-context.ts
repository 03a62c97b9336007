import { AsyncLocalStorage } from 'node:async_hooks'
import { sdkError } from '../errors.js'
import { isTenantName } from '../wire/wire-guards.js'
import type { BaggageMember } from './baggage.js'

/** The tenant that a request belongs to, wherever it is served (docs/adr/0009). It is routing, never authorisation. */
export interface RoutingContext {
  /** Undefined: none was named; the call belongs to whoever answers it. */
  readonly tenant: string | undefined
  /**
   * | origin | tenant |
   * | --- | --- |
   * | `request` | came with the request, or was set by `runWithTenant` |
   * | `own` | this process's: it is of a feature environment, and the request had none |
   * | `none` | none |
   */
  readonly origin: 'request' | 'own' | 'none'
  /** The members of others that came with the request and are passed on; those that OpenTelemetry carries are not among them. */
  readonly baggage: readonly BaggageMember[]
}

/** The context of whatever belongs to no request. */
export const NO_CONTEXT: RoutingContext = Object.freeze({
  tenant: undefined,
  origin: 'none',
  baggage: Object.freeze([]),
})

const storage = new AsyncLocalStorage<RoutingContext | undefined>()

/** The context that was set for the code that runs now; `origin` is `none` outside of any request. */
export function currentContext(): RoutingContext {
  return storage.getStore() ?? NO_CONTEXT
}

/** The context as it was set; undefined outside of any, which {@link currentContext} does not tell from one without a tenant. */
export function activeContext(): RoutingContext | undefined {
  return storage.getStore()
}

/** The tenant of {@link currentContext}, on the shortest way. */
export function currentTenant(): string | undefined {
  return storage.getStore()?.tenant
}

/** Calls `run` in a context; what it starts (promises, timers, callbacks) stays in it. Answers or throws what `run` does. */
export function runWithContext<T, P extends unknown[]>(
  context: RoutingContext,
  run: (...parameters: P) => T,
  ...parameters: P
): T {
  return storage.run(context, run, ...parameters)
}

/** {@link runWithContext} in what {@link activeContext} has answered, which may have been outside of any. */
export function resumeContext<T, P extends unknown[]>(
  active: RoutingContext | undefined,
  run: (...parameters: P) => T,
  ...parameters: P
): T {
  return storage.run(active, run, ...parameters)
}

/**
 * Calls `run` for a tenant; undefined: for none. The baggage of others stays. A tenant that the route table does not have is resolved
 * as this process's own.
 * @throws AppError `TENANT_INVALID`: no tenant can have this name
 */
export function runWithTenant<T>(tenant: string | undefined, run: () => T): T {
  if (tenant !== undefined && !isTenantName(tenant)) {
    const attempt = 'cannot run for a tenant whose name is not a DNS-1123 label of at most 40 characters'
    throw sdkError('TENANT_INVALID', `${attempt}; check where the name comes from`)
  }
  const { baggage } = currentContext()
  const context = tenant === undefined ? { ...NO_CONTEXT, baggage } : { tenant, origin: 'request' as const, baggage }
  return storage.run(Object.freeze(context), run)
}
