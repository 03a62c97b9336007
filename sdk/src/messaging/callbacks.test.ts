import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runWithTenant } from '../context/routing-context.js'
import { ProcessWorld, SHOP, type Tenants } from './messaging-world.test-support.js'

const world = (tenant = 'integration', tenants = SHOP): ProcessWorld => new ProcessWorld(tenant).hold(tenants)

/** The target as the service gets it: without what the edge takes away. */
function targetOf(url: string): string {
  expect(url.startsWith('http://integration.test/orders/tributary-callback/')).toBe(true)
  return url.slice('http://integration.test/orders'.length)
}

const make = (tenant: string | undefined, path = '/paid', from = world()): string =>
  targetOf(runWithTenant(tenant, () => from.callbacks.urlFor('orders', path)))

const without = (...gone: readonly string[]): Tenants =>
  Object.fromEntries(Object.entries(SHOP).filter(([name]) => !gone.includes(name)))

describe('a callback URL', () => {
  it('comes back to the tenant that made it, with its path and whatever query was appended', () => {
    const target = `${make('feature-x')}?status=ok`
    expect(world('feature-x').callbacks.receive(target)).toEqual({
      state: 'here',
      tenant: 'feature-x',
      path: '/paid?status=ok',
    })
  })

  it('is passed on by the baseline to the tenant’s own copy, as it came', () => {
    const target = make('feature-x', '/paid?order=7')
    expect(world().callbacks.receive(target)).toEqual({
      state: 'elsewhere',
      tenant: 'feature-x',
      url: `http://orders.feature-x.test:80${target}`,
    })
  })

  it('is answered by the baseline for a tenant without its own copy, in its context', () => {
    expect(world().callbacks.receive(make('feature-y'))).toEqual({ state: 'here', tenant: 'feature-y', path: '/paid' })
  })

  it('is the baseline’s when the baseline made it outside of any environment', () => {
    expect(world().callbacks.receive(make(undefined))).toEqual({ state: 'here', tenant: undefined, path: '/paid' })
    expect(world('feature-x').callbacks.receive(make(undefined))).toMatchObject({ state: 'elsewhere' })
  })

  it('is gone with its environment, and never the baseline’s by accident', () => {
    const target = make('feature-x')
    const after = world('integration', without('feature-x', 'stacked')).callbacks.receive(target)
    expect(after).toEqual({ state: 'gone', reason: expect.stringContaining('the environment feature-x is gone') })
  })

  it('is gone when the tenant is still there but its own copy is not, as during a teardown', () => {
    const target = make('feature-x')
    const tenants = { ...SHOP, 'feature-x': { base: 'integration', services: {} } }
    expect(world('integration', tenants).callbacks.receive(target)).toMatchObject({
      state: 'gone',
      reason: expect.stringContaining('feature-x no longer has its own orders'),
    })
  })

  it('is gone for a stacked tenant when the copy below it is', () => {
    const target = make('stacked')
    expect(world('feature-x').callbacks.receive(target)).toMatchObject({ state: 'here', tenant: 'stacked' })
    const tenants = { ...SHOP, 'feature-x': { base: 'integration', services: {} } }
    expect(world('integration', tenants).callbacks.receive(target).state).toBe('gone')
  })

  it('finds a copy that the tenant has got since', () => {
    const target = make('feature-y')
    const tenants = { ...SHOP, 'feature-y': { base: 'integration', services: { orders: 'own' } } } as const
    expect(world('integration', tenants).callbacks.receive(target)).toMatchObject({ state: 'elsewhere' })
  })

  it('is forged for another path, another service, and any change of the token', () => {
    const target = make('feature-x')
    const { callbacks } = world('feature-x')
    expect(callbacks.receive(target.replace('/paid', '/refund')).state).toBe('forged')
    expect(callbacks.receive(`${target}/more`).state).toBe('forged')
    expect(new ProcessWorld('feature-x', { service: 'mail' }).hold(SHOP).callbacks.receive(target).state).toBe('forged')
    expect(callbacks.receive('/tributary-callback//paid').state).toBe('forged')
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...'aA0-_.'.split('')), (at, character) => {
        const start = '/tributary-callback/'.length
        const index = start + (at % (target.length - start - '/paid'.length))
        fc.pre(target[index] !== character)
        const changed = target.slice(0, index) + character + target.slice(index + 1)
        expect(callbacks.receive(changed).state).toBe('forged')
      }),
    )
  })

  it('survives another spelling of its path', () => {
    const target = make('feature-x', '/~paid/é')
    const spelled = target.replace('/~paid/é', '/%7epaid/%C3%A9')
    expect(world('feature-x').callbacks.receive(spelled)).toMatchObject({ state: 'here', path: '/%7epaid/%C3%A9' })
  })

  it('expires', () => {
    const from = world('feature-x')
    const target = make('feature-x', '/paid', from)
    from.nowMs += 86_400_000 + 60_001
    expect(from.callbacks.receive(target).state).toBe('expired')
  })

  it('is unknown before a table is held', () => {
    expect(new ProcessWorld('feature-x').callbacks.receive(make('feature-x')).state).toBe('unknown')
  })

  it('leaves ordinary requests alone', () => {
    expect(world().callbacks.receive('/paid?x=/tributary-callback/t/')).toEqual({ state: 'none' })
  })

  it('is not made for a masked service', () => {
    expect(() => runWithTenant('feature-x', () => world().callbacks.urlFor('mail', '/'))).toThrow('masked')
  })
})
