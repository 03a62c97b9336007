import { itemKeys } from '@tributary/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Diagnostics } from '../diagnostics.js'
import { Directory } from './directory.js'
import { Resolver } from './resolver.js'

const at = (port: number, name = 'http', protocol = 'http'): object => ({ name, protocol, host: '127.0.0.1', port })
const present = (...endpoints: object[]): object => ({ state: 'present', endpoints })

class World {
  readonly directory = new Directory(new Diagnostics())
  readonly resolver = new Resolver('integration', this.directory)

  view(items: Readonly<Record<string, unknown>>): void {
    for (const [key, value] of Object.entries(items)) this.directory.putViewItem(key, value ?? undefined)
    this.resolver.invalidate('view', Object.keys(items))
  }

  routes(items: Readonly<Record<string, unknown>>): void {
    for (const [key, value] of Object.entries(items)) this.directory.putRouteItem(key, value ?? undefined)
    this.resolver.invalidate('routes', Object.keys(items))
  }
}

/** integration owns a, b, c; feature-x owns b and masks c; stacked lies on feature-x and owns a. */
function shop(): World {
  const world = new World()
  const own = (port: number): object => ({ state: 'own', owner: 'integration', endpoints: [at(port)] })
  world.view({ chain: ['integration'], 'service/a': own(1), 'service/b': own(2), 'service/c': own(3) })
  world.routes({
    'tenant/integration': { base: null },
    'tenant/feature-x': { base: 'integration' },
    'tenant/stacked': { base: 'feature-x' },
    'entry/integration/a': present(at(1)),
    'entry/integration/b': present(at(2)),
    'entry/integration/c': present(at(3)),
    'entry/feature-x/b': present(at(12)),
    'entry/feature-x/c': { state: 'masked', endpoints: [] },
    'entry/stacked/a': present(at(21)),
  })
  return world
}

describe('resolve', () => {
  it.each([
    [undefined, 'b', 'own', 'integration', 'http://127.0.0.1:2'],
    ['integration', 'b', 'own', 'integration', 'http://127.0.0.1:2'],
    ['feature-x', 'a', 'inherited', 'integration', 'http://127.0.0.1:1'],
    ['feature-x', 'b', 'own', 'feature-x', 'http://127.0.0.1:12'],
    ['feature-x', 'c', 'masked', 'feature-x', undefined],
    ['feature-x', 'd', 'missing', null, undefined],
    ['stacked', 'a', 'own', 'stacked', 'http://127.0.0.1:21'],
    ['stacked', 'b', 'inherited', 'feature-x', 'http://127.0.0.1:12'],
    ['stacked', 'c', 'masked', 'feature-x', undefined],
    ['gone', 'b', 'own', 'integration', 'http://127.0.0.1:2'],
  ])('for %s finds %s: %s by %s', (...row) => {
    const [tenant, service, state, owner, url] = row
    const { resolver } = shop()
    const resolution = resolver.resolve(service, tenant === undefined ? undefined : { tenant })
    expect(resolution).toMatchObject({ service, state, owner })
    expect(resolution.url).toBe(url)
  })

  it('lists what a tenant sees, services that its root does not have included', () => {
    const world = shop()
    world.routes({ 'entry/feature-x/new': present(at(14)) })
    const seen = (tenant?: string): readonly string[] =>
      world.resolver.services(tenant).map(({ service, state, owner }) => `${service} ${state} ${owner}`)
    expect(seen('stacked')).toEqual([
      'a own stacked',
      'b inherited feature-x',
      'c masked feature-x',
      'new inherited feature-x',
    ])
    const own = ['a own integration', 'b own integration', 'c own integration']
    expect([seen(), seen('integration'), seen('gone')]).toEqual([own, own, own])
  })

  it('says why, and does not repeat the name of an unknown tenant', () => {
    const { resolver } = shop()
    expect(resolver.resolve('b', { tenant: 'stacked' }).reason).toBe(
      'stacked has no b of its own and falls back to feature-x',
    )
    expect(resolver.resolve('c', { tenant: 'stacked' }).reason).toBe('c is masked by feature-x')
    expect(resolver.resolve('d', { tenant: 'stacked' }).reason).toContain('stacked -> feature-x -> integration')
    const unknown = resolver.resolve('b', { tenant: '<script>' })
    expect(unknown.tenant).toBe('integration')
    expect(unknown.reason).not.toContain('script')
  })

  it('gives the same frozen object until something that concerns it changes', () => {
    const world = shop()
    const first = world.resolver.resolve('b', { tenant: 'stacked' })
    expect(Object.isFrozen(first) && Object.isFrozen(first.endpoints) && Object.isFrozen(first.endpoints[0])).toBe(true)
    world.routes({ 'entry/feature-x/z': present(at(99)) })
    expect(world.resolver.resolve('b', { tenant: 'stacked' })).toBe(first)
    world.routes({ 'entry/feature-x/b': null })
    expect(world.resolver.resolve('b', { tenant: 'stacked' })).toMatchObject({
      owner: 'integration',
      state: 'inherited',
    })
  })

  it('follows a change of everything at once', () => {
    const world = shop()
    world.resolver.resolve('b', { tenant: 'feature-x' })
    const many = Array.from({ length: 500 }, (_each, index) => [`entry/feature-x/s${index}`, present(at(index + 1))])
    world.routes({ ...Object.fromEntries(many), 'entry/feature-x/b': present(at(7_777)) })
    expect(world.resolver.resolve('b', { tenant: 'feature-x' }).url).toBe('http://127.0.0.1:7777')
  })

  it('follows a change of base', () => {
    const world = shop()
    world.resolver.resolve('b', { tenant: 'stacked' })
    world.routes({ 'tenant/stacked': { base: 'integration' } })
    expect(world.resolver.resolve('b', { tenant: 'stacked' }).owner).toBe('integration')
  })

  it('resolves a tenant as the own one once it is gone, and on its own when it comes', () => {
    const world = shop()
    expect(world.resolver.resolve('b', { tenant: 'feature-x' }).owner).toBe('feature-x')
    world.routes({ 'entry/feature-x/b': null, 'entry/feature-x/c': null, 'tenant/feature-x': null })
    expect(world.resolver.resolve('b', { tenant: 'feature-x' })).toMatchObject({
      owner: 'integration',
      tenant: 'integration',
    })
    world.routes({ 'tenant/feature-x': { base: 'integration' }, 'entry/feature-x/b': present(at(13)) })
    expect(world.resolver.resolve('b', { tenant: 'feature-x' }).url).toBe('http://127.0.0.1:13')
  })

  it('follows the own view for unknown tenants as well', () => {
    const world = shop()
    expect(world.resolver.resolve('b', { tenant: 'unknown' }).url).toBe('http://127.0.0.1:2')
    world.view({ 'service/b': { state: 'own', owner: 'integration', endpoints: [at(77)] } })
    expect(world.resolver.resolve('b', { tenant: 'unknown' }).url).toBe('http://127.0.0.1:77')
    expect(world.resolver.resolve('b').url).toBe('http://127.0.0.1:77')
  })

  it('ends at a cycle of bases', () => {
    const world = shop()
    world.routes({ 'tenant/feature-x': { base: 'stacked' } })
    expect(world.resolver.resolve('d', { tenant: 'stacked' }).state).toBe('missing')
  })

  it('knows nothing before the first view', () => {
    const { resolver } = new World()
    expect(resolver.resolve('b').reason).toBe('no view of the config center is held yet')
    expect(resolver.resolve('b', { tenant: 'feature-x' }).state).toBe('missing')
  })

  it('forgets that nothing was held when the view comes without the service', () => {
    const world = new World()
    world.resolver.resolve('zzz')
    world.view({ chain: ['integration'] })
    expect(world.resolver.resolve('zzz').reason).toBe('no tenant of the chain integration has an entry of zzz')
  })

  it('limits endpoints to a port or protocol', () => {
    const world = shop()
    world.routes({ 'entry/feature-x/b': present(at(12), at(13, 'grpc', 'grpc'), at(14, 'admin', 'http')) })
    const { resolver } = world
    expect(resolver.resolve('b', { tenant: 'feature-x', port: 'admin' }).url).toBe('http://127.0.0.1:14')
    expect(resolver.resolve('b', { tenant: 'feature-x', protocol: 'grpc' }).url).toBe('grpc://127.0.0.1:13')
    const none = resolver.resolve('b', { tenant: 'feature-x', port: 'metrics' })
    expect(none).toMatchObject({ state: 'own', endpoints: [] })
    expect(none.reason).toContain('on port metrics')
    expect(() => resolver.urlFor('b', '/', { tenant: 'feature-x', port: 'metrics' })).toThrow('on port metrics')
  })

  it('prefers an HTTP endpoint for the URL and writes IPv6 in brackets', () => {
    const world = shop()
    const six = { name: 'http', protocol: 'http', host: '::1', port: 5 }
    world.routes({ 'entry/feature-x/b': present(at(13, 'grpc', 'grpc'), six) })
    expect(world.resolver.resolve('b', { tenant: 'feature-x' }).url).toBe('http://[::1]:5')
  })

  it('agrees with a walk up the chain for every tenant and service after any changes', () => {
    const tenants = ['integration', 'x', 'y', 'z']
    const services = ['a', 'b']
    const step = fc.oneof(
      fc.record({
        tenant: fc.constantFrom('x', 'y', 'z'),
        base: fc.constantFrom('integration', 'x', 'y', 'z', null, 'gone'),
      }),
      fc.record({
        tenant: fc.constantFrom(...tenants),
        service: fc.constantFrom(...services),
        port: fc.option(fc.integer({ min: 0, max: 9 })),
      }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const world = shop()
        const bases = new Map<string, string | null>([
          ['integration', null],
          ['feature-x', 'integration'],
          ['stacked', 'feature-x'],
        ])
        const ports = new Map<string, number>([
          ['integration/a', 1],
          ['integration/b', 2],
          ['stacked/a', 21],
          ['feature-x/b', 12],
        ])
        for (const each of steps) {
          if ('base' in each) {
            if (each.base === 'gone') bases.delete(each.tenant)
            else bases.set(each.tenant, each.base)
            world.routes({ [itemKeys.tenant(each.tenant)]: each.base === 'gone' ? null : { base: each.base } })
          } else {
            const key = `${each.tenant}/${each.service}`
            if (each.port === null) ports.delete(key)
            else ports.set(key, each.port)
            const masked = { state: 'masked', endpoints: [] }
            const entry = each.port === null ? null : each.port === 0 ? masked : present(at(each.port))
            world.routes({ [itemKeys.entry(each.tenant, each.service)]: entry })
          }
          for (const tenant of ['x', 'y', 'z', 'stacked'].filter((name) => bases.has(name))) {
            for (const service of services) {
              const found = world.resolver.resolve(service, { tenant })
              expect([found.owner, found.endpoints[0]?.port]).toEqual(walk(tenant, service, { bases, ports }))
            }
          }
        }
      }),
      { numRuns: 60 },
    )
  })
})

function walk(
  tenant: string,
  service: string,
  { bases, ports }: { readonly bases: ReadonlyMap<string, string | null>; readonly ports: ReadonlyMap<string, number> },
): readonly [string | null, number | undefined] {
  let name: string | null | undefined = tenant
  for (let depth = 0; depth < 8 && typeof name === 'string' && bases.has(name); depth += 1) {
    const port = ports.get(`${name}/${service}`)
    if (port !== undefined) return [name, port === 0 ? undefined : port]
    name = bases.get(name)
  }
  return [null, undefined]
}

describe('pick and urlFor', () => {
  it('take turns among the endpoints of the primary port only', () => {
    const world = shop()
    world.routes({ 'entry/feature-x/b': present(at(1), at(7, 'grpc', 'grpc'), at(2), at(8, 'admin'), at(3)) })
    const ports = Array.from({ length: 5 }, () => world.resolver.pick('b', { tenant: 'feature-x' })?.port)
    expect(ports).toEqual([1, 2, 3, 1, 2])
  })

  it('give no endpoint of a masked or missing service', () => {
    const { resolver } = shop()
    expect(resolver.pick('c', { tenant: 'feature-x' })).toBeUndefined()
    expect(resolver.pick('d')).toBeUndefined()
  })

  it.each([
    ['/orders?id=1', 'http://127.0.0.1:2/orders?id=1'],
    ['orders', 'http://127.0.0.1:2/orders'],
    ['', 'http://127.0.0.1:2'],
    ['@evil.example/', 'http://127.0.0.1:2/@evil.example/'],
    [':99@evil.example/', 'http://127.0.0.1:2/:99@evil.example/'],
  ])('puts the path %j behind the authority', (path, url) => {
    expect(shop().resolver.urlFor('b', path)).toBe(url)
  })

  it.each([
    ['c', 'feature-x', 'SERVICE_MASKED', 'c is masked by feature-x; remove the mask'],
    ['d', 'feature-x', 'SERVICE_NOT_FOUND', 'deploy or register it'],
  ])('throw for %s of %s', (...row) => {
    const [service, tenant, code, words] = row
    const attempt = (): string => shop().resolver.urlFor(service, '/', { tenant })
    expect(attempt).toThrow(expect.objectContaining({ code }))
    expect(attempt).toThrow(words)
  })
})

describe('memory', () => {
  it('does not grow with invented tenants', () => {
    const { resolver } = shop()
    const first = resolver.resolve('b', { tenant: 'invented-0' })
    for (let index = 1; index < 10_000; index += 1) {
      expect(resolver.resolve('b', { tenant: `invented-${index}` })).toBe(first)
    }
  })

  it('does not grow with invented services or ports', () => {
    const { resolver } = shop()
    const remembered = (resolve: (index: number) => object): number => {
      const firsts = Array.from({ length: 2_000 }, (_each, index) => resolve(index))
      return firsts.filter((first, index) => resolve(index) === first).length
    }
    expect(remembered((index) => resolver.resolve(`invented-${index}`))).toBeLessThanOrEqual(64)
    expect(remembered((index) => resolver.resolve(`invented-${index}`, { tenant: 'feature-x' }))).toBeLessThanOrEqual(
      64,
    )
    expect(remembered((index) => resolver.resolve('b', { port: `invented-${index}` }))).toBeLessThanOrEqual(32)
  })
})
