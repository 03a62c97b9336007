import { parseBaggage } from '../context/baggage.js'
import { NO_CONTEXT, runWithContext, type RoutingContext } from '../context/routing-context.js'
import { isTenantKey, type Routing } from '../context/routing.js'
import { baggageToService } from '../outgoing/outgoing-baggage.js'
import type { ConsumerRule, MessageDecision } from './consumer-rule.js'

/** The header of a message that carries the routing context, as in HTTP. */
export const BAGGAGE_HEADER = 'baggage'

/** A message that came in, judged. */
export interface ReceivedMessage {
  readonly decision: MessageDecision
  /** Calls `run` in the message's context; what it calls and sends stays in the environment of the message. */
  readonly run: <T>(work: () => T) => T
}

/** What the adapters of message brokers are made of. A broker without an adapter needs only this. */
export interface Messages {
  /** The root of the own tree: its consumers take what no other tenant owns. Undefined before the first view. */
  readonly baseline: string | undefined
  /** Whether the own tree has the tenant now; undefined: no route table is held yet. */
  hasTenant(tenant: string): boolean | undefined
  /** Who takes a message of `tenant` for `service`; undefined: one without a tenant. From memory, and only right now. */
  decide(service: string, tenant: string | undefined): MessageDecision
  /** Judges a message by its `baggage` header. */
  receive(service: string, baggage: string | undefined): ReceivedMessage
  /**
   * The `baggage` header for a message that is sent now; undefined: none is needed. `present` is the header that the message has
   * already: its members stay, and its tenant wins, so that passing on a stored message does not change whose it is.
   */
  baggage(present?: string): string | undefined
}

/** The {@link Messages} of one client. */
export class RoutedMessages implements Messages {
  readonly #routing: Routing
  readonly #rule: ConsumerRule

  constructor(routing: Routing, rule: ConsumerRule) {
    this.#routing = routing
    this.#rule = rule
  }

  get baseline(): string | undefined {
    return this.#rule.baseline
  }

  hasTenant(tenant: string): boolean | undefined {
    return this.#rule.isReady ? this.#rule.hasTenant(tenant) : undefined
  }

  decide(service: string, tenant: string | undefined): MessageDecision {
    return this.#rule.decide(service, tenant)
  }

  receive(service: string, baggage: string | undefined): ReceivedMessage {
    // Unknown tenants would be counted as such although only the table is not there yet.
    if (!this.#rule.isReady) return { decision: this.#rule.decide(service, undefined), run: (work) => work() }
    const accepted = this.#routing.accept(baggage)
    // Not the own stamp: what has no tenant is the baseline's, also when a feature environment sees it.
    const context: RoutingContext =
      accepted.origin === 'request' ? accepted : { ...NO_CONTEXT, baggage: accepted.baggage }
    return {
      decision: this.#rule.decide(service, context.tenant),
      run: (work) => runWithContext(context, work),
    }
  }

  baggage(present?: string): string | undefined {
    const members = present === undefined ? [] : parseBaggage(present).members
    if (members.some(({ key }) => isTenantKey(key))) return present
    return baggageToService(this.#routing.contextOfCall(), present)
  }
}
