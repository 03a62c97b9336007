import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import { connect } from '../connect.js'
import { FakeConfigCenter, httpEndpoint, servedAt } from '../fake-config-center.test-support.js'
import type { Tributary } from '../tributary.js'
import { MAX_BAGGAGE_BYTES, TENANT_MEMBER } from './baggage.js'
import { currentContext, runWithContext, runWithTenant } from './routing-context.js'

const ROUTES = {
  'tenant/integration': { base: null },
  'tenant/feature-x': { base: 'integration' },
  'tenant/feature-y': { base: 'integration' },
  'entry/integration/orders': { state: 'present', endpoints: [httpEndpoint(4001)] },
  'entry/feature-x/orders': { state: 'present', endpoints: [httpEndpoint(4002)] },
  'entry/feature-y/search': { state: 'present', endpoints: [httpEndpoint(4003)] },
}

let center: FakeConfigCenter
let clients: Tributary[]

beforeEach(async () => {
  center = new FakeConfigCenter()
  clients = []
  await center.start()
})
afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await center.stop()
})

async function open(tenant: string, chain: readonly string[]): Promise<Tributary> {
  const port = tenant === 'feature-x' ? 4002 : 4001
  center.seed({ chain, 'service/orders': servedAt(chain[0] ?? '', port) }, ROUTES)
  const client = await connect(center.options({ tenant }))
  clients.push(client)
  return client
}
const openBaseline = () => open('integration', ['integration'])
const openFeature = () => open('feature-x', ['feature-x', 'integration'])

describe('the context that a request is given', () => {
  test.each([
    ['tributary-tenant=feature-x', 'feature-x', []],
    ['a=1,tributary-tenant=feature-y;p=1,b=2;q', 'feature-y', ['a=1', 'b=2;q']],
    ['tributary-tenant=feature%2Dx', 'feature-x', []],
    ['tributary-tenant=feature-x, tributary-tenant = feature-x', 'feature-x', []],
    ['tributary-tenant=integration', 'integration', []],
  ])('%j names its tenant, in a baseline process as in another', async (header, tenant, foreign) => {
    for (const client of [await openBaseline(), await openFeature()]) {
      const context = client.routing.accept(header)
      expect(context).toMatchObject({ tenant, origin: 'request' })
      expect(context.baggage.map(({ text }) => text)).toEqual(foreign)
      expect(client.routing.refusals).toEqual({})
    }
  })

  test.each([
    ['tributary-tenant=gone', 'tenant_unknown'],
    ['tributary-tenant=production', 'tenant_unknown'],
    ['tributary-tenant=feature-x,tributary-tenant=feature-y', 'tenant_ambiguous'],
    ['tributary-tenant=feature-x%0d%0aevil:1', 'tenant_invalid'],
    ['tributary-tenant=', 'tenant_invalid'],
    ['tributary-tenant=Feature-X', 'tenant_invalid'],
    ['Tributary-Tenant=feature-x', 'tenant_invalid'],
    [`tributary-tenant=${'x'.repeat(41)}`, 'tenant_invalid'],
    ['tributary-tenant=../feature-x', 'tenant_invalid'],
    ['tributary-tenant', 'member_malformed'],
  ])('%j names none, and that is counted', async (header, reason) => {
    const client = await openBaseline()
    expect(client.routing.accept(`a=1,${header}`)).toMatchObject({ tenant: undefined, origin: 'none' })
    expect(client.routing.accept(`a=1,${header}`).baggage.map(({ text }) => text)).toEqual(['a=1'])
    expect(client.routing.refusals).toEqual({ [reason]: 2 })
  })

  it('keeps the tenant of a header that is too long to be passed on', async () => {
    const client = await openBaseline()
    const header = `a=${'x'.repeat(MAX_BAGGAGE_BYTES)},tributary-tenant=feature-x`
    expect(client.routing.accept(header).tenant).toBe('feature-x')
    expect(client.routing.refusals).toEqual({ baggage_oversized: 1 })
  })

  it('is the own one in a process of a feature environment, and none in a baseline process', async () => {
    const feature = await openFeature()
    expect(feature.routing.accept(undefined)).toMatchObject({ tenant: 'feature-x', origin: 'own' })
    expect(feature.routing.accept('a=1,tributary-tenant=production')).toMatchObject({
      tenant: 'feature-x',
      origin: 'own',
    })
    expect(feature.routing.ownStamp).toBe('feature-x')
    const baseline = await openBaseline()
    expect(baseline.routing.accept(undefined)).toMatchObject({ tenant: undefined, origin: 'none' })
    expect(baseline.routing.ownStamp).toBeUndefined()
  })

  it('forgets a tenant when the table does, and knows a new one at once', async () => {
    const client = await openBaseline()
    center.publish(
      {},
      { 'tenant/feature-x': null, 'entry/feature-x/orders': null, 'tenant/feature-z': { base: 'integration' } },
    )
    await expect.poll(() => client.routing.accept('tributary-tenant=feature-x').tenant).toBeUndefined()
    expect(client.routing.accept('tributary-tenant=feature-z').tenant).toBe('feature-z')
  })

  it('is judged by the last table while the config center is down', async () => {
    const client = await openBaseline()
    await center.stop()
    await expect.poll(() => client.status.state).toBe('STALE')
    expect(client.routing.accept('tributary-tenant=feature-x').tenant).toBe('feature-x')
    expect(client.routing.accept('tributary-tenant=feature-z').tenant).toBeUndefined()
    runWithTenant('feature-x', () => expect(client.resolve('orders').owner).toBe('feature-x'))
    center.items.routes.delete('tenant/feature-x')
    center.items.routes.delete('entry/feature-x/orders')
    center.revision += 1n
    await center.start()
    await expect.poll(() => client.routing.accept('tributary-tenant=feature-x').tenant).toBeUndefined()
  })
})

describe('reads of the client', () => {
  it('are for the tenant of the current context, and for the own one outside of any', async () => {
    const client = await openBaseline()
    expect(client.resolve('orders').owner).toBe('integration')
    runWithTenant('feature-x', () => {
      expect(client.resolve('orders')).toMatchObject({ owner: 'feature-x', url: 'http://127.0.0.1:4002' })
      expect(client.pick('orders')?.port).toBe(4002)
      expect(client.urlFor('orders', '/x')).toBe('http://127.0.0.1:4002/x')
      expect(client.resolve('orders', { tenant: 'feature-y' }).owner).toBe('integration')
      expect(client.services().map(({ owner }) => owner)).toEqual(['integration'])
    })
    expect(client.urlFor('orders', '/x')).toBe('http://127.0.0.1:4001/x')
  })

  it('know the names and addresses of the whole tree, and of nothing else', async () => {
    const { routing } = await openBaseline()
    expect([routing.hasService('orders'), routing.hasService('search'), routing.hasService('mail')]).toEqual([
      true,
      true,
      false,
    ])
    expect(routing.serviceAt('127.0.0.1', 4003)).toBe('search')
    expect(routing.serviceAt('127.0.0.1', 4004)).toBeUndefined()
    center.publish({}, { 'entry/feature-y/search': { state: 'present', endpoints: [httpEndpoint(4004)] } })
    await expect.poll(() => routing.serviceAt('127.0.0.1', 4004)).toBe('search')
    expect(routing.serviceAt('127.0.0.1', 4003)).toBeUndefined()
    center.publish({}, { 'entry/feature-y/search': null, 'entry/feature-x/orders': null })
    await expect.poll(() => routing.hasService('search')).toBe(false)
    expect([routing.serviceAt('127.0.0.1', 4002), routing.serviceAt('127.0.0.1', 4001)]).toEqual([undefined, 'orders'])
  })
})

describe('the context of a call', () => {
  it('is the own tenant’s in a feature process, also outside of any request; a baseline never stamps itself', async () => {
    const feature = await openFeature()
    expect(feature.routing.contextOfCall()).toMatchObject({ tenant: 'feature-x', origin: 'own' })
    runWithTenant('feature-y', () => expect(feature.routing.contextOfCall().tenant).toBe('feature-y'))
    const baseline = await openBaseline()
    expect(baseline.routing.contextOfCall()).toMatchObject({ tenant: undefined, origin: 'none' })
    const context = baseline.routing.accept('a=1')
    runWithContext(context, () =>
      expect(feature.routing.contextOfCall()).toMatchObject({ tenant: 'feature-x', origin: 'own' }),
    )
  })

  it('keeps the baggage of others under another tenant', async () => {
    const client = await openBaseline()
    runWithContext(client.routing.accept('a=1,tributary-tenant=feature-x'), () => {
      for (const tenant of ['feature-y', undefined]) {
        runWithTenant(tenant, () => {
          expect(currentContext().tenant).toBe(tenant)
          expect(currentContext().baggage.map(({ text }) => text)).toEqual(['a=1'])
        })
      }
    })
  })

  test.each(['', 'Feature', 'a\r\nb: c', 'x'.repeat(41)])('refuses to run for the tenant %j', (tenant) => {
    expect(() => runWithTenant(tenant, () => TENANT_MEMBER)).toThrow(
      expect.objectContaining({ code: 'TENANT_INVALID' }),
    )
  })
})
