import type * as otel from '@opentelemetry/api'
import { BaggageMember } from './baggage.js'
import { isTenantKey } from './routing.js'

type OpenTelemetry = Pick<typeof otel, 'context' | 'propagation'>
type OtelBaggage = NonNullable<ReturnType<OpenTelemetry['propagation']['getActiveBaggage']>>

/** Where every copy of the API's major version 1 keeps what the program has registered, so that copies share it. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1')
const registry: typeof globalThis & { readonly [REGISTRY]?: { readonly context?: unknown } } = globalThis

let api: OpenTelemetry | undefined

/** Finds OpenTelemetry's API when the program has it. Never rejects: without it the SDK carries everything itself. */
export async function loadOpenTelemetry(): Promise<void> {
  // Any failure to load an optional package means that it cannot be worked with.
  api ??= await import('@opentelemetry/api').catch(() => undefined)
}

/** True when OpenTelemetry carries baggage for the code that runs now; asked before anything is done about it. */
export function telemetryCarriesBaggage(): boolean {
  return activeBaggage() !== undefined
}

/** The members that OpenTelemetry carries for the code that runs now, without the tenant; undefined: it carries no baggage here. */
export function telemetryMembers(): readonly BaggageMember[] | undefined {
  const baggage = activeBaggage()
  return baggage?.getAllEntries().flatMap(([key, { value, metadata }]) => {
    const member = isTenantKey(key) ? undefined : BaggageMember.of(key, value, metadata?.toString())
    return member === undefined ? [] : [member]
  })
}

/**
 * Calls `run` without the tenant in OpenTelemetry's baggage. It extracts and injects every member that it sees, to whatever host; the
 * tenant is the SDK's alone to pass on.
 */
export function hideTenantFromTelemetry<T>(run: () => T): T {
  const baggage = activeBaggage()
  const keys = baggage === undefined ? [] : tenantKeys(baggage)
  if (api === undefined || baggage === undefined || keys.length === 0) return run()
  return api.context.with(api.propagation.setBaggage(api.context.active(), baggage.removeEntries(...keys)), run)
}

/** Calls `run` without OpenTelemetry's baggage, so that its instrumentation does not write a second header beside the SDK's. */
export function hideBaggageFromTelemetry<T>(run: () => T): T {
  if (api === undefined || activeBaggage() === undefined) return run()
  return api.context.with(api.propagation.deleteBaggage(api.context.active()), run)
}

/** OpenTelemetry's context of the code that runs now; undefined: the program does not use it. */
export function activeTelemetry(): otel.Context | undefined {
  return managed()?.context.active()
}

/** True when {@link activeTelemetry} answers this context here too. */
export function isActiveTelemetry(context: otel.Context | undefined): boolean {
  return managed()?.context.active() === context
}

/** Calls `run` in what {@link activeTelemetry} has answered elsewhere. */
export function resumeTelemetry<T>(context: otel.Context | undefined, run: () => T): T {
  return api === undefined || context === undefined ? run() : api.context.with(context, run)
}

function tenantKeys(baggage: OtelBaggage): string[] {
  return baggage.getAllEntries().flatMap(([key]) => (isTenantKey(key) ? [key] : []))
}

/** The baggage that is active now. */
function activeBaggage(): OtelBaggage | undefined {
  return managed()?.propagation.getActiveBaggage()
}

/**
 * The API, once it has a context manager: until then nothing is ever active. Many programs have the API, because a library brings it, and
 * register nothing; asking it costs each call more than everything else that is asked here.
 */
function managed(): OpenTelemetry | undefined {
  return registry[REGISTRY]?.context === undefined ? undefined : api
}
