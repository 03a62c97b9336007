import { createContextKey, parseContextKeys } from '@tributary/contract/context-token'
import { systemClock, type Clock } from '@tributary/kit'
import { TableRouting } from '../context/routing.js'
import { Diagnostics } from '../diagnostics.js'
import { Directory } from '../resolve/directory.js'
import { Resolver } from '../resolve/resolver.js'
import { Callbacks } from './callbacks.js'
import { Capsules } from './capsules.js'
import { ConsumerRule } from './consumer-rule.js'
import { RoutedMessages, type Messages } from './messages.js'

/** Who is based on whom, and who has which service: `own` or `masked`. */
export type Tenants = Readonly<
  Record<string, { readonly base: string | null; readonly services: Readonly<Record<string, 'own' | 'masked'>> }>
>

/** integration owns orders and mail; feature-x owns orders and masks mail; stacked lies on feature-x; feature-y owns nothing. */
export const SHOP: Tenants = {
  integration: { base: null, services: { orders: 'own', mail: 'own' } },
  'feature-x': { base: 'integration', services: { orders: 'own', mail: 'masked' } },
  stacked: { base: 'feature-x', services: {} },
  'feature-y': { base: 'integration', services: {} },
}

export const CONTEXT_KEY = createContextKey()

/** What one process of a tenant holds in memory: view and route table of some {@link Tenants}. */
export class ProcessWorld {
  /** The wall clock, which tests move. */
  nowMs = Date.UTC(2026, 0, 1)
  readonly tenant: string
  readonly service: string
  readonly #directory = new Directory(new Diagnostics())
  readonly #resolver: Resolver
  readonly #held = { view: new Set<string>(), routes: new Set<string>() }
  readonly messages: Messages
  readonly capsules: Capsules
  readonly callbacks: Callbacks

  constructor(tenant: string, options: { readonly service?: string; readonly contextKey?: string } = {}) {
    this.tenant = tenant
    this.service = options.service ?? 'orders'
    this.#resolver = new Resolver(tenant, this.#directory)
    const rule = new ConsumerRule(tenant, this.#directory, this.#resolver)
    const routing = new TableRouting(tenant, this.#directory)
    const clock: Clock = { ...systemClock, now: () => this.nowMs }
    const signing = { rule, routing, clock, keys: parseContextKeys(options.contextKey ?? CONTEXT_KEY) }
    this.messages = new RoutedMessages(routing, rule)
    this.capsules = new Capsules(signing)
    this.callbacks = new Callbacks({
      ...signing,
      ownTenant: tenant,
      service: this.service,
      publicUrl: 'http://integration.test/{service}/',
      resolver: this.#resolver,
    })
  }

  /** Takes the whole state, as a stream would bring it. */
  hold(tenants: Tenants): this {
    const routes: Record<string, unknown> = {}
    for (const [name, { base, services }] of Object.entries(tenants)) {
      routes[`tenant/${name}`] = { base }
      for (const [service, kind] of Object.entries(services)) {
        const endpoints = kind === 'own' ? [endpointOf(service, name)] : []
        routes[`entry/${name}/${service}`] = { state: kind === 'own' ? 'present' : 'masked', endpoints }
      }
    }
    this.#take('routes', routes, (key, value) => this.#directory.putRouteItem(key, value))
    this.#take('view', this.#viewOf(tenants), (key, value) => this.#directory.putViewItem(key, value))
    return this
  }

  #viewOf(tenants: Tenants): Record<string, unknown> {
    const chain: string[] = []
    for (let name: string | null = this.tenant; name !== null; name = tenants[name]?.base ?? null) chain.push(name)
    const view: Record<string, unknown> = { chain }
    for (const owner of chain.toReversed()) {
      for (const [service, kind] of Object.entries(tenants[owner]?.services ?? {})) {
        const isMasked = kind === 'masked'
        const state = isMasked ? 'masked' : owner === this.tenant ? 'own' : 'inherited'
        view[`service/${service}`] = { state, owner, endpoints: isMasked ? [] : [endpointOf(service, owner)] }
      }
    }
    return view
  }

  #take(
    channel: 'view' | 'routes',
    items: Readonly<Record<string, unknown>>,
    put: (key: string, value: unknown) => void,
  ): void {
    const keys = [...new Set([...Object.keys(items), ...this.#held[channel]])]
    for (const key of keys) put(key, items[key])
    this.#held[channel] = new Set(Object.keys(items))
    this.#resolver.invalidate(channel, keys)
  }
}

function endpointOf(service: string, owner: string): object {
  return { name: 'http', protocol: 'http', host: `${service}.${owner}.test`, port: 80 }
}
