import { NO_OBSERVER, type CallObserver } from '../observe/call-observer.js'
import type { Directory } from '../resolve/directory.js'
import { isTenantName } from '../wire/wire-guards.js'
import { MAX_BAGGAGE_BYTES, TENANT_MEMBER, parseBaggage, type BaggageMember } from './baggage.js'
import { NO_CONTEXT, currentContext, type RoutingContext } from './routing-context.js'

/** Why something of a request's baggage was not taken. */
export const BAGGAGE_REFUSALS = {
  tenant_unknown: 'the tenant is not in the route table: never was, was deleted, or is of another tree',
  tenant_invalid: 'the value is not the name of a tenant',
  tenant_ambiguous: 'the header names several tenants',
  member_malformed: 'a member breaks the grammar of W3C baggage',
  baggage_oversized: 'the header is longer than what is passed on; members at its end are dropped',
} as const

/** One of {@link BAGGAGE_REFUSALS}. */
export type BaggageRefusal = keyof typeof BAGGAGE_REFUSALS

/** The judge of contexts: what a process takes from requests, what its own calls bear, and which addresses may hear of it. */
export interface Routing {
  /** How often something was refused, by reason; for metrics. */
  readonly refusals: Readonly<Partial<Record<BaggageRefusal, number>>>
  /** Watches where contexts go; `NO_OBSERVER` when nobody does. */
  readonly observer: CallObserver
  /** The tenant that this process stamps on calls that bear none; undefined in a baseline process, which never stamps itself. */
  readonly ownStamp: string | undefined

  /**
   * The context of a request with this `baggage` header. Never throws: a tenant that the route table does not have counts as none. What is
   * refused is counted.
   */
  accept(baggage: string | undefined): RoutingContext

  /** The context that a call made now bears: the current one, else the own tenant's in a process of a feature environment. */
  contextOfCall(): RoutingContext

  /** True when any tenant of the own tree has an entry of the service. */
  hasService(name: string): boolean

  /** The service of the system that has an endpoint at an address; undefined: the address is outside of the system. */
  serviceAt(host: string, port: number): string | undefined
}

/** A header as it was judged. */
interface JudgedHeader {
  readonly context: RoutingContext
  readonly refusals: readonly BaggageRefusal[]
}

/** Callers send the same few headers again and again; those that hold data of one request are long or many, and pass through. */
const MAX_REMEMBERED_HEADERS = 1_000
const MAX_REMEMBERED_CHARS = 512

/** The {@link Routing} of one client: it judges by the client's route table as it is now, the last one held during an outage. */
export class TableRouting implements Routing {
  observer: CallObserver = NO_OBSERVER
  readonly #directory: Directory
  readonly #own: RoutingContext
  readonly #refusals = new Map<BaggageRefusal, number>()
  readonly #judged = new Map<string, JudgedHeader>()
  #judgedVersion = -1

  constructor(ownTenant: string, directory: Directory) {
    this.#directory = directory
    this.#own = Object.freeze({ tenant: ownTenant, origin: 'own', baggage: NO_CONTEXT.baggage })
  }

  get refusals(): Readonly<Partial<Record<BaggageRefusal, number>>> {
    return Object.fromEntries(this.#refusals)
  }

  get ownStamp(): string | undefined {
    return this.#stampsItself ? this.#own.tenant : undefined
  }

  accept(baggage: string | undefined): RoutingContext {
    if (baggage === undefined || baggage === '') return this.#withoutTenant(NO_CONTEXT.baggage)
    const { context, refusals } = this.#judgment(baggage)
    for (const reason of refusals) this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1)
    return context
  }

  contextOfCall(): RoutingContext {
    const context = currentContext()
    return context.tenant === undefined ? this.#withoutTenant(context.baggage) : context
  }

  hasService(name: string): boolean {
    return this.#directory.index.hasService(name)
  }

  serviceAt(host: string, port: number): string | undefined {
    return this.#directory.index.serviceAt(host, port)
  }

  /** Before the first view the chain is empty: a process that does not know its base cannot tell that it is not the baseline. */
  get #stampsItself(): boolean {
    return this.#directory.chain.length > 1
  }

  #withoutTenant(baggage: readonly BaggageMember[]): RoutingContext {
    const plain = this.#stampsItself ? this.#own : NO_CONTEXT
    return baggage.length === 0 ? plain : Object.freeze({ ...plain, baggage })
  }

  #judgment(header: string): JudgedHeader {
    const { version } = this.#directory
    if (this.#judgedVersion !== version || this.#judged.size >= MAX_REMEMBERED_HEADERS) this.#judged.clear()
    this.#judgedVersion = version
    const known = this.#judged.get(header)
    if (known !== undefined) return known
    const made = this.#judge(header)
    if (header.length <= MAX_REMEMBERED_CHARS) this.#judged.set(header, made)
    return made
  }

  #judge(header: string): JudgedHeader {
    const { members, malformed } = parseBaggage(header)
    const refusals: BaggageRefusal[] = Array.from({ length: malformed }, () => 'member_malformed')
    if (header.length > MAX_BAGGAGE_BYTES) refusals.push('baggage_oversized')
    const foreign = Object.freeze(members.filter(({ key }) => !isTenantKey(key)))
    const { tenant, refusal } = this.#tenantOf(members)
    if (refusal !== undefined) refusals.push(refusal)
    const context =
      tenant === undefined
        ? this.#withoutTenant(foreign)
        : Object.freeze({ tenant, origin: 'request' as const, baggage: foreign })
    return { context, refusals }
  }

  #tenantOf(members: readonly BaggageMember[]): { readonly tenant?: string; readonly refusal?: BaggageRefusal } {
    const named = members.filter(({ key }) => isTenantKey(key))
    const [first] = named
    if (first === undefined) return {}
    const name = first.value
    if (named.some(({ key, value }) => key !== TENANT_MEMBER || !isTenantName(value)))
      return { refusal: 'tenant_invalid' }
    if (named.some(({ value }) => value !== name)) return { refusal: 'tenant_ambiguous' }
    return this.#directory.findTenant(name) === undefined ? { refusal: 'tenant_unknown' } : { tenant: name }
  }
}

/** True for the tenant's key. Keys are case-sensitive, but a look-alike counts too: it is never passed on, as not every reader is strict. */
export function isTenantKey(key: string): boolean {
  return key.length === TENANT_MEMBER.length && key.toLowerCase() === TENANT_MEMBER
}
