import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createConfigCenterClient, type ConfigCenterClient } from '@tributary/client'
import { startConfigCenter, type ConfigCenter } from '@tributary/config-center'
import { connect, withRoutingContext, type Tributary } from '@tributary/sdk'
import { createDispatcher } from '@tributary/sdk/undici'
import { openEmbeddedStore, type RevisionedStore } from '@tributary/store'
import { request, type Dispatcher } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { waitFor } from '../support/wait-for.js'

const TENANTS = Array.from({ length: 8 }, (_, index) => `feature-${index}`)
const CALLS_PER_TENANT = 25

interface Job {
  readonly traceparent: string | undefined
  readonly done: (answer: Promise<string>) => void
}

/** How payments makes its call back: the last three are what programs do wrong. */
type Manner = 'properly' | 'with plain fetch' | 'from a pool' | 'from a pool, with its trace'

/** Tenants with `orders` of their own over a shared `payments`, which calls `orders` back. Real config center, clients and sockets. */
class Shop {
  manner: Manner = 'properly'
  admin!: ConfigCenterClient
  center!: ConfigCenter
  payments!: Tributary
  dispatcher!: Dispatcher
  readonly diagnostics: string[] = []
  #folder = ''
  #store!: RevisionedStore
  readonly #servers: Server[] = []
  readonly #clients: Tributary[] = []
  readonly #jobs: Job[] = []

  async start(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'tributary-leaks-'))
    this.#store = await openEmbeddedStore({ path: join(this.#folder, 'store.db') })
    this.center = await startConfigCenter({ store: this.#store, adminTokenFile: join(this.#folder, 'admin.token') })
    this.admin = createConfigCenterClient({ baseUrl: this.center.url, token: this.center.adminToken ?? '' })
    await this.admin.applyTenant('integration', { base: null })
    for (const tenant of TENANTS) await this.admin.applyTenant(tenant, {})
    this.payments = await this.#client('integration', 'payments')
    this.dispatcher = createDispatcher(this.payments)
    await this.#serve('integration', 'payments', this.payments)
    for (const tenant of ['integration', ...TENANTS]) {
      const orders = await this.#client(tenant, 'orders')
      await this.#serve(tenant, 'orders', orders)
    }
    await waitFor('payments to know all tenants', () =>
      TENANTS.every((tenant) => this.payments.resolve('orders', { tenant }).owner === tenant),
    )
  }

  async stop(): Promise<void> {
    await this.dispatcher.close()
    for (const client of this.#clients) await client.close()
    for (const server of this.#servers) server.closeAllConnections()
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))))
    await this.center.close()
    await this.#store.close()
    await rm(this.#folder, { recursive: true, force: true })
  }

  /** One request of a tenant to payments; answers which tenant's `orders` its call back reached. */
  async quote(tenant: string): Promise<string> {
    const traceparent = `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`
    const headers = { baggage: `tributary-tenant=${tenant}`, traceparent }
    const url = this.payments.resolve('payments', { tenant }).url ?? ''
    const { body } = await request(`${url}/quote?amount=5`, { headers })
    return body.text()
  }

  /** A worker that was started with the process: what it runs belongs to no request. */
  work(): () => void {
    const timer = setInterval(() => {
      for (const { traceparent, done } of this.#jobs.splice(0)) done(this.#call(traceparent))
    }, 2)
    return () => clearInterval(timer)
  }

  async #callBack(traceparent: string | string[] | undefined): Promise<string> {
    if (this.manner === 'properly') return this.#call()
    if (this.manner === 'with plain fetch') return (await fetch(this.payments.urlFor('orders', '/callback'))).text()
    const trace = this.manner === 'from a pool' || Array.isArray(traceparent) ? undefined : traceparent
    return new Promise((resolve) => this.#jobs.push({ traceparent: trace, done: resolve }))
  }

  async #call(traceparent?: string): Promise<string> {
    const headers = traceparent === undefined ? {} : { traceparent }
    const { body } = await request('http://orders/callback', { dispatcher: this.dispatcher, headers })
    return body.text()
  }

  async #client(tenant: string, service: string): Promise<Tributary> {
    const { token } = await this.admin.createToken({ name: `${tenant}-${service}`, role: 'tenant', tenant })
    const client = await connect({
      url: this.center.url,
      tenant,
      token,
      service,
      callReportMs: 50,
      env: {},
      onDiagnostic: ({ code, message }) => this.diagnostics.push(`${code}: ${message}`),
    })
    this.#clients.push(client)
    return client
  }

  async #serve(tenant: string, service: string, client: Tributary): Promise<void> {
    const server = createServer(
      withRoutingContext(client, async (incoming, response) => {
        response.end(service === 'payments' ? await this.#callBack(incoming.headers['traceparent']) : tenant)
      }),
    )
    this.#servers.push(server)
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => {
        const address = server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      }),
    )
    const endpoints = [{ name: 'http', protocol: 'http' as const, host: '127.0.0.1', port }]
    await this.admin.applyEntry({ tenant, service }, { endpoints })
  }
}

describe('calls of many tenants through one shared process', () => {
  let shop: Shop
  let stopWork: () => void

  beforeEach(async () => {
    shop = new Shop()
    await shop.start()
    stopWork = shop.work()
  })

  afterEach(async () => {
    stopWork()
    await shop.stop()
  })

  /** Interleaved requests of all tenants; answers how many call backs reached another tenant. */
  const interleave = async (): Promise<number> => {
    const requests = Array.from({ length: CALLS_PER_TENANT }, () => TENANTS).flat()
    const reached = await Promise.all(requests.map(async (tenant) => [tenant, await shop.quote(tenant)] as const))
    return reached.filter(([tenant, who]) => tenant !== who).length
  }

  const callsOf = (tenant: string) => shop.admin.getCalls(tenant)

  it('are all counted, by tenant and edge, and none has leaked when the context is passed on', async () => {
    expect(await interleave()).toBe(0)
    for (const tenant of TENANTS) {
      const edge = await waitFor(`the calls of ${tenant}`, async () => {
        const [found] = (await callsOf(tenant)).edges
        return found?.calls === CALLS_PER_TENANT && found
      })
      expect(edge).toMatchObject({ from: 'payments', to: 'orders', errors: 0, leaks: 0 })
      expect(edge.latency?.p95Ms).toBeGreaterThan(0)
    }
    expect((await shop.admin.listLeaks()).leaks).toEqual([])
    expect(shop.payments.diagnosticCounts.context_lost ?? 0).toBe(0)
  })

  it('are shown as leaks of the edge when they go around the dispatcher', async () => {
    shop.manner = 'with plain fetch'
    await interleave()
    for (const tenant of TENANTS) {
      const leak = await waitFor(`the leaks of ${tenant}`, async () => {
        const [found] = (await callsOf(tenant)).leaks
        return found?.count === CALLS_PER_TENANT && found
      })
      expect(leak).toMatchObject({ kind: 'dropped', from: 'payments', to: 'orders', route: 'GET /quote' })
      expect(leak.traceId).toMatch(/^[0-9a-f]{32}$/)
      expect(leak.seenIn).toEqual({ tenant: 'integration', service: 'payments' })
    }
    expect(shop.diagnostics.find((line) => line.startsWith('context_lost'))).toContain('payments -> orders')
  })

  it('are shown as leaks when a pool loses the context: the wrong copy answers, and the edge says so', async () => {
    shop.manner = 'from a pool, with its trace'
    expect(await interleave()).toBe(TENANTS.length * CALLS_PER_TENANT)
    for (const tenant of TENANTS) {
      await waitFor(`the leaks of ${tenant}`, async () => {
        const { leaks } = await callsOf(tenant)
        return leaks.length === 1 && leaks[0]?.kind === 'dropped' && leaks[0].count === CALLS_PER_TENANT
      })
    }
  })

  it('are suspected when a pool loses context and trace, for one tenant or for several', async () => {
    shop.manner = 'from a pool'
    await interleave()
    const { leaks } = await waitFor('a suspicion', async () => {
      const found = await shop.admin.listLeaks()
      return found.leaks.reduce((sum, { count }) => sum + count, 0) === TENANTS.length * CALLS_PER_TENANT && found
    })
    expect(new Set(leaks.map(({ kind, from, to }) => `${kind} ${from} ${to}`))).toEqual(
      new Set(['suspected payments orders']),
    )
    // Several tenants at once: the process knows that a call was lost, not whose.
    expect((await callsOf('integration')).edges.find(({ leaks: count }) => count > 0)).toMatchObject({
      from: 'payments',
    })
    await shop.quote('feature-3')
    await waitFor('the only tenant to be named', async () => (await callsOf('feature-3')).leaks.length > 0)
  })

  it('are misrouted when somebody sends a tenant to a copy that is not its own', async () => {
    const integration = shop.payments.resolve('orders', { tenant: 'integration' }).url ?? ''
    const headers = { baggage: 'tributary-tenant=feature-2', 'tributary-caller': 'legacy' }
    await (await fetch(`${integration}/orders/17`, { headers })).text()
    const [leak] = await waitFor('the leak', async () => {
      const { leaks } = await callsOf('feature-2')
      return leaks.length > 0 && leaks
    })
    expect(leak).toMatchObject({ kind: 'misrouted', from: 'legacy', to: 'orders', route: 'GET /orders/:id', count: 1 })
  })

  it('count contexts that nobody can have, and take them for none', async () => {
    const reached = await Promise.all(
      ['ghost', 'production', 'feature-1,tributary-tenant=feature-2'].map((name) => shop.quote(name)),
    )
    expect(new Set(reached)).toEqual(new Set(['integration']))
    await waitFor('the refusals', async () => {
      const metrics = await fetch(`${shop.center.url}/metrics`, {
        headers: { authorization: `Bearer ${shop.center.adminToken}` },
      })
      const text = await metrics.text()
      return text.includes('{reason="tenant_unknown"} 2') && text.includes('{reason="tenant_ambiguous"} 1')
    })
  })
})
