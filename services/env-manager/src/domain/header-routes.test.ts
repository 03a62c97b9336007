import type { Endpoint } from '@tributary/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planHeaderRoutes, type ChainLink } from './header-routes.js'

const hostOf = (environment: string, service: string): string => `${service}.${environment}.svc.cluster.local`
const http = (tenant: string, service: string, port = 8080, more: Partial<Endpoint> = {}): Endpoint => ({
  name: 'http',
  protocol: 'http',
  host: hostOf(tenant, service),
  port,
  ...more,
})
const owns = (tenant: string, ...services: string[]): ChainLink => ({
  tenant,
  entries: services.map((service) => ({ service, state: 'present', endpoints: [http(tenant, service)] })),
})
const masks = (tenant: string, service: string): ChainLink => ({
  tenant,
  entries: [{ service, state: 'masked', endpoints: [] }],
})
const withEndpoints = (tenant: string, service: string, endpoints: Endpoint[]): ChainLink => ({
  tenant,
  entries: [{ service, state: 'present', endpoints }],
})
const legs = (...chain: ChainLink[]): string[] =>
  planHeaderRoutes(chain, hostOf).routes.map(({ at, service, to }) => `${at}/${service} -> ${to ?? 'nobody'}`)

describe('planHeaderRoutes', () => {
  it('leads from the baseline to the branch, for each service that the branch owns and the baseline has', () => {
    const chain = [owns('x', 'orders', 'fresh'), owns('integration', 'orders', 'stock')]
    expect(planHeaderRoutes(chain, hostOf)).toEqual({
      routes: [{ at: 'integration', service: 'orders', to: 'x', ports: [{ ports: [8080, 80], own: 8080, to: 8080 }] }],
      unroutable: [],
    })
  })

  it('follows resolution along a chain: to the nearest owner, from every one below', () => {
    const below = [owns('x', 'orders', 'stock'), owns('integration', 'orders', 'stock', 'web')]
    expect(legs(owns('y'), ...below)).toEqual(['integration/orders -> x', 'integration/stock -> x'])
    expect(legs(owns('y', 'orders'), ...below)).toEqual([
      'x/orders -> y',
      'integration/orders -> y',
      'integration/stock -> x',
    ])
  })

  it('leads to nobody where the nearest tenant masks the service', () => {
    expect(legs(masks('x', 'orders'), owns('integration', 'orders'))).toEqual(['integration/orders -> nobody'])
    expect(legs(owns('y'), masks('x', 'orders'), owns('integration', 'orders'))).toEqual([
      'integration/orders -> nobody',
    ])
    expect(legs(owns('x', 'orders'), masks('integration', 'orders'))).toEqual([])
  })

  it('needs none where nothing is owned, or nothing is below', () => {
    expect(legs(owns('x'), owns('integration', 'orders'))).toEqual([])
    expect(legs(owns('integration', 'orders'))).toEqual([])
    expect(legs()).toEqual([])
  })

  it('tells of a program outside of the cluster, where no mesh leads to', () => {
    const laptop = withEndpoints('x', 'orders', [http('x', 'orders', 3000, { host: '192.0.2.7' })])
    expect(planHeaderRoutes([laptop, owns('integration', 'orders')], hostOf)).toEqual({
      routes: [],
      unroutable: [{ service: 'orders', message: expect.stringContaining('192.0.2.7') }],
    })
    // A leased instance beside the environment's own copy changes nothing.
    const beside = withEndpoints('x', 'orders', [http('x', 'orders'), http('x', 'orders', 3000, { host: '192.0.2.7' })])
    expect(legs(beside, owns('integration', 'orders'))).toEqual(['integration/orders -> x'])
  })

  it('pairs ports by name, else by number, else by protocol, and leaves alone what has no headers to read', () => {
    const ports = (own: Endpoint[], below: Endpoint[]) =>
      planHeaderRoutes([withEndpoints('x', 'a', own), withEndpoints('integration', 'a', below)], hostOf).routes[0]
        ?.ports
    const grpc = { name: 'grpc', protocol: 'grpc' } as const
    expect(
      ports(
        [http('x', 'a', 9090), http('x', 'a', 9000, grpc)],
        [http('integration', 'a'), http('integration', 'a', 9000, grpc)],
      ),
    ).toEqual([
      { ports: [8080, 80], own: 8080, to: 9090 },
      { ports: [9000], own: 9000, to: 9000 },
    ])
    expect(ports([http('x', 'a', 8081, { name: 'web' })], [http('integration', 'a')])).toEqual([
      { ports: [8080, 80], own: 8080, to: 8081 },
    ])
    const tcp = { name: 'db', protocol: 'tcp' } as const
    expect(ports([http('x', 'a', 5432, tcp)], [http('integration', 'a', 5432, tcp)])).toBeUndefined()
  })

  it('never leads anywhere but to the nearest owner, and at most once from a place, for any chain', () => {
    const state = fc.constantFrom('present', 'masked', 'absent')
    const services = ['a', 'b', 'c']
    const chains = fc.array(fc.tuple(state, state, state), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(chains, (rows) => {
        const chain = rows.map((states, index): ChainLink => {
          const tenant = index === rows.length - 1 ? 'integration' : `t${index}`
          const entries = services.flatMap((service, column) => {
            const is = states[column]
            if (is === undefined || is === 'absent') return []
            return [{ service, state: is, endpoints: is === 'present' ? [http(tenant, service)] : [] } as const]
          })
          return { tenant, entries }
        })
        const { routes } = planHeaderRoutes(chain, hostOf)
        for (const service of services) {
          const having = chain.filter(({ entries }) => entries.some((entry) => entry.service === service))
          const [owner, ...below] = having
          const entry = owner?.entries.find((one) => one.service === service)
          const expected = below
            .filter(({ entries }) => entries.some((one) => one.service === service && one.state === 'present'))
            .map(({ tenant }) => ({ at: tenant, to: entry?.state === 'masked' ? null : owner?.tenant }))
          expect(routes.filter((route) => route.service === service).map(({ at, to }) => ({ at, to }))).toEqual(
            expected,
          )
        }
      }),
    )
  })
})
