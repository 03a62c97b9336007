import type { Directory } from '../resolve/directory.js'
import type { Resolver } from '../resolve/resolver.js'

/**
 * What a consumer does with a message. For every message and every state of the route table exactly one tenant's consumers answer
 * `take` or `park`; all others answer `leave` and name who that is.
 *
 * | action | meaning |
 * | --- | --- |
 * | `take` | this process's tenant handles it. `tenant`: whom it is handled for; undefined: nobody in particular (the baseline) |
 * | `leave` | the consumers of `owner` handle it |
 * | `park` | the service is masked for the message's tenant, so nobody may handle it: dead-letter it. Only the baseline is told so |
 * | `wait` | no route table is held yet: leave the message where it is and ask again |
 */
export type MessageDecision =
  | { readonly action: 'take'; readonly tenant: string | undefined; readonly reason: string }
  | { readonly action: 'leave'; readonly owner: string; readonly reason: string }
  | { readonly action: 'park'; readonly reason: string }
  | { readonly action: 'wait'; readonly reason: string }

/**
 * "Who takes this message", from the route table in memory: the consumers of the tenant whose copy of the service the message's tenant
 * sees, which is its own copy, that of a tenant that it is stacked on, or the baseline's. A tenant that the table does not have (deleted,
 * or never was) and a message without one fall to the baseline; so does a service that nobody has registered.
 */
export class ConsumerRule {
  readonly #ownTenant: string
  readonly #directory: Directory
  readonly #resolver: Resolver

  constructor(ownTenant: string, directory: Directory, resolver: Resolver) {
    this.#ownTenant = ownTenant
    this.#directory = directory
    this.#resolver = resolver
  }

  /** The root of the own tree; undefined before the first view. */
  get baseline(): string | undefined {
    return this.#directory.chain.at(-1)
  }

  /** True when the own tree's table is held, live or from the disk snapshot: before, every tenant would look deleted. */
  get isReady(): boolean {
    return this.baseline !== undefined && this.#directory.findTenant(this.#ownTenant) !== undefined
  }

  /** True when the own tree has the tenant now. */
  hasTenant(tenant: string): boolean {
    return this.#directory.findTenant(tenant) !== undefined
  }

  /** Decides about a message of `tenant` for `service`. Never throws and never waits. */
  decide(service: string, tenant: string | undefined): MessageDecision {
    const { baseline } = this
    if (baseline === undefined || !this.isReady) return { action: 'wait', reason: 'no route table is held yet' }
    const isKnown = tenant !== undefined && this.hasTenant(tenant)
    const { state, owner, reason } = this.#resolver.resolve(service, { tenant: isKnown ? tenant : baseline })
    if (state === 'masked') {
      return this.#ownTenant === baseline ? { action: 'park', reason } : { action: 'leave', owner: baseline, reason }
    }
    const taker = owner ?? baseline
    if (taker !== this.#ownTenant) return { action: 'leave', owner: taker, reason }
    return { action: 'take', tenant: isKnown ? tenant : undefined, reason }
  }
}
