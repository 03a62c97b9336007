import { beforeEach, describe, expect, it } from 'vitest'
import type { HeaderRoute } from '../../../domain/header-routes.js'
import type { PlatformResource } from '../../../ports/platform.js'
import { baggagePatternOf } from './baggage-pattern.js'
import { createMeshRoutes } from './create-mesh-routes.js'
import { MemoryCluster } from './memory-cluster.test-support.js'
import { reviewMesh } from './review-mesh.js'

const signal = new AbortController().signal
const route = (service: string, more: Partial<HeaderRoute> = {}): HeaderRoute => ({
  at: 'integration',
  service,
  to: 'x',
  ports: [{ ports: [8080, 80], own: 8080, to: 9090 }],
  ...more,
})

let cluster: MemoryCluster
let recorded: string[]

beforeEach(() => {
  cluster = new MemoryCluster()
  recorded = []
})

function routes(kind: 'gamma' | 'istio' | 'none', instance = 'main') {
  return createMeshRoutes({ ...cluster.seenBy(instance), kind })
}

const context = {
  signal,
  record: async ({ kind, id }: PlatformResource) => {
    // A line stands before its object does.
    const [namespace, name] = id.split('/')
    const words: Readonly<Record<string, string>> = {
      httproute: 'HTTPRoute',
      referencegrant: 'ReferenceGrant',
      virtualservice: 'VirtualService',
    }
    recorded.push(`${cluster.objects.has(`${words[kind]}/${namespace}/${name}`) ? 'again' : 'new'} ${kind} ${id}`)
  },
}
const labels = (environment: string) => ({
  'app.kubernetes.io/managed-by': 'tributary',
  'tributary.dev/instance': 'main',
  'tributary.dev/environment': environment,
  'tributary.dev/purpose': 'mesh',
})

describe('header routes of the Gateway API', () => {
  beforeEach(() => cluster.serve('gamma'))

  it('hang on the baseline’s Service, lead by the header, and say the default too', async () => {
    await routes('gamma').apply('x', [route('orders')], context)
    expect(cluster.objects.get('HTTPRoute/team-integration/tributary.x.orders.8080')).toMatchObject({
      metadata: { labels: labels('x') },
      spec: {
        parentRefs: [
          { group: '', kind: 'Service', name: 'orders', port: 8080 },
          { group: '', kind: 'Service', name: 'orders', port: 80 },
        ],
        rules: [
          {
            matches: [
              {
                path: { type: 'PathPrefix', value: '/' },
                headers: [{ type: 'RegularExpression', name: 'baggage', value: baggagePatternOf('x') }],
              },
            ],
            backendRefs: [{ group: '', kind: 'Service', name: 'orders', namespace: 'team-x', port: 9090 }],
          },
          {
            matches: [{ path: { type: 'PathPrefix', value: '/' } }],
            backendRefs: [{ group: '', kind: 'Service', name: 'orders', port: 8080 }],
          },
        ],
      },
    })
  })

  it('are let into the branch’s namespace from each place that they stand at, and from no other', async () => {
    const chain = [route('orders'), route('orders', { at: 'base' }), route('stock', { at: 'else', to: 'base' })]
    await routes('gamma').apply('x', chain, context)
    expect(cluster.specOf('ReferenceGrant/team-x/tributary-mesh')).toEqual({
      from: ['team-base', 'team-integration'].map((namespace) => ({
        group: 'gateway.networking.k8s.io',
        kind: 'HTTPRoute',
        namespace,
      })),
      to: [{ group: '', kind: 'Service' }],
    })
    expect(cluster.names.filter((name) => name.startsWith('ReferenceGrant'))).toHaveLength(1)
  })

  it('lead a masked service nowhere', async () => {
    await routes('gamma').apply('x', [route('orders', { to: null })], context)
    const spec = cluster.specOf('HTTPRoute/team-integration/tributary.x.orders.8080')
    expect(spec).toMatchObject({ rules: [{ matches: [{ headers: [{ name: 'baggage' }] }] }, { backendRefs: [{}] }] })
    expect(JSON.stringify(spec)).not.toContain('team-x')
    expect(cluster.names).toHaveLength(1)
  })

  it('are recorded before they are made, and are found by looking', async () => {
    const made = await routes('gamma').apply('x', [route('orders')], context)
    expect(recorded).toEqual([
      'new referencegrant team-x/tributary-mesh',
      'new httproute team-integration/tributary.x.orders.8080',
    ])
    expect(await routes('gamma').list()).toEqual(expect.arrayContaining([...made]))
    expect(await routes('gamma', 'other').list()).toEqual([])
  })

  it('are seen to be there, and to be gone', async () => {
    const made = await routes('gamma').apply('x', [route('orders')], context)
    for (const resource of made) {
      expect((await routes('gamma').verifyGone(resource)).gone).toBe(false)
      await routes('gamma').remove(resource, signal)
      expect(await routes('gamma').verifyGone(resource)).toEqual({
        gone: true,
        evidence: expect.stringMatching(/^the API server has no (HTTPRoute|ReferenceGrant) team-/),
      })
    }
    expect(cluster.names).toEqual([])
  })
})

describe('header routes of Istio', () => {
  const KEY = 'VirtualService/team-integration/tributary.orders'
  beforeEach(() => cluster.serve('istio'))

  const ruleNames = (): unknown =>
    (cluster.specOf(KEY) as { http: { name: string }[] }).http.map(({ name }: { name: string }) => name)

  it('are one VirtualService for a Service, with the default last', async () => {
    await routes('istio').apply('x', [route('orders')], context)
    expect(cluster.objects.get(KEY)?.metadata.labels).toEqual({
      ...labels('integration'),
      'tributary.dev/service': 'orders',
    })
    expect(cluster.specOf(KEY)).toEqual({
      hosts: ['orders.team-integration.svc.cluster.local'],
      http: [
        {
          name: 'tributary.x.8080',
          match: [8080, 80].map((port) => ({ port, headers: { baggage: { regex: baggagePatternOf('x') } } })),
          route: [{ destination: { host: 'orders.team-x.svc.cluster.local', port: { number: 9090 } } }],
        },
        { name: 'default', route: [{ destination: { host: 'orders.team-integration.svc.cluster.local' } }] },
      ],
    })
  })

  it('of several environments stand side by side, also when they come at the same time', async () => {
    const made = routes('istio')
    await Promise.all(['c', 'a', 'b'].map((name) => made.apply(name, [route('orders', { to: name })], context)))
    expect(ruleNames()).toEqual(['tributary.a.8080', 'tributary.b.8080', 'tributary.c.8080', 'default'])
    expect((await made.list()).map(({ environment }) => environment)).toEqual(['a', 'b', 'c'])
  })

  it('of one environment go alone, and the last take the VirtualService along', async () => {
    const made = routes('istio')
    const [ofA] = await made.apply('a', [route('orders', { to: 'a' })], context)
    const [ofB] = await made.apply('b', [route('orders', { to: 'b' })], context)
    if (ofA === undefined || ofB === undefined) throw new Error('nothing was made')
    await made.remove(ofA, signal)
    expect(ruleNames()).toEqual(['tributary.b.8080', 'default'])
    expect(await made.verifyGone(ofA)).toEqual({
      gone: true,
      evidence: 'VirtualService team-integration/tributary.orders has no route of a',
    })
    expect((await made.verifyGone(ofB)).gone).toBe(false)
    await made.remove(ofB, signal)
    await made.remove(ofB, signal)
    expect(cluster.names).toEqual([])
    expect((await made.verifyGone(ofB)).gone).toBe(true)
  })

  it('answer for a masked service themselves', async () => {
    await routes('istio').apply('x', [route('orders', { to: null })], context)
    expect(cluster.specOf(KEY)).toMatchObject({
      http: [
        { directResponse: { status: 503, body: { string: expect.stringContaining('x masks the service orders') } } },
        { name: 'default' },
      ],
    })
  })

  it('keep what somebody else wrote between look and write: a former leader may be writing its last', async () => {
    await routes('istio').apply('a', [route('orders', { to: 'a' })], context)
    cluster.afterFind = () => {
      cluster.afterFind = () => undefined
      const object = cluster.objects.get(KEY)
      if (object === undefined) throw new Error('there is nothing to write between')
      const spec = JSON.parse(JSON.stringify(object.spec).replaceAll('tributary.a.', 'tributary.c.')) as {
        http: object[]
      }
      const http = [...(object.spec as { http: object[] }).http, ...spec.http.slice(0, 1)]
      const metadata = { ...object.metadata, resourceVersion: 'newer' }
      cluster.objects.set(KEY, { metadata, spec: { ...spec, http } })
    }
    await routes('istio').apply('b', [route('orders', { to: 'b' })], context)
    expect(ruleNames()).toEqual(['tributary.a.8080', 'tributary.b.8080', 'tributary.c.8080', 'default'])
  })

  it('are written only when something changes', async () => {
    const given = [route('orders')]
    await routes('istio').apply('x', given, context)
    await routes('istio').apply('x', given, context)
    expect(cluster.writes).toBe(0)
    await routes('istio').apply('x', [route('orders', { ports: [{ ports: [8080], own: 8080, to: 1 }] })], context)
    expect(cluster.writes).toBe(1)
  })

  it.each(['orders', 'orders.team-integration.svc.cluster.local'])(
    'make way for somebody’s own VirtualService of the host %s',
    async (host) => {
      const theirs = { metadata: { name: 'canary', namespace: 'team-integration' }, spec: { hosts: [host] } }
      cluster.objects.set('VirtualService/team-integration/canary', theirs)
      await expect(routes('istio').apply('x', [route('orders')], context)).rejects.toMatchObject({
        code: 'ROUTE_NAME_TAKEN',
        message: expect.stringContaining('VirtualService team-integration/canary'),
      })
      expect(cluster.names).toEqual(['VirtualService/team-integration/canary'])
    },
  )
})

describe.each([
  ['gamma', 'HTTPRoute/team-integration/tributary.x.orders.8080', 'httproute'],
  ['istio', 'VirtualService/team-integration/tributary.orders', 'virtualservice'],
] as const)('header routes of %s', (kind, key, word) => {
  it('are refused while the cluster lacks the kind, and nothing of theirs is found', async () => {
    await expect(routes(kind).apply('x', [route('orders')], context)).rejects.toMatchObject({
      code: 'ROUTES_NOT_POSSIBLE',
      message: expect.stringContaining('platform.kubernetes.mesh'),
    })
    expect(await routes(kind).list()).toEqual([])
    const line = { kind: word, id: 'team-integration/any', environment: 'x' }
    expect((await routes(kind).verifyGone(line)).gone).toBe(true)
    expect((await reviewMesh(cluster, kind, signal)).missing).not.toEqual([])
    cluster.serve(kind)
    expect((await reviewMesh(cluster, kind, signal)).missing).toEqual([])
  })

  it('leave alone what somebody else made under their name', async () => {
    cluster.serve(kind)
    const [, namespace = '', name = ''] = key.split('/')
    const foreign = { metadata: { name, namespace, labels: { 'tributary.dev/instance': 'other' } } }
    cluster.objects.set(key, foreign)
    await expect(routes(kind).apply('x', [route('orders')], context)).rejects.toMatchObject({
      code: 'ROUTE_NAME_TAKEN',
    })
    const line = { kind: word, id: `${namespace}/${name}`, environment: 'x' }
    await routes(kind).remove(line, signal)
    expect(cluster.objects.get(key)).toBe(foreign)
    expect((await routes(kind).verifyGone(line)).gone).toBe(true)
  })

  it('are removed by their lines after the configuration was changed', async () => {
    cluster.serve(kind)
    const made = await routes(kind).apply('x', [route('orders')], context)
    expect(await routes('none').apply('x', [route('orders')], context)).toEqual([])
    for (const line of made) await routes('none').remove(line, signal)
    expect(cluster.names).toEqual([])
  })
})
