import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Condition } from '@tributary/contract'
import { describeWithCluster, eventually, testImage } from '@tributary/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { GitFixture } from '../support/git-fixture.js'
import { waitFor } from '../support/wait-for.js'
import { ClusterPlatform } from './support/cluster-platform.js'
import { installMeshKinds, removeMeshKinds } from './support/mesh-kinds.js'
import { TINY_PROGRAM } from './support/tiny-service.js'

const INSTANCE = `kube-mesh-${process.pid % 10_000}`
const PREFIX = `${INSTANCE}-`
const X = 'feature-x'
const DEEP = 'feature-deep'
const GATEWAY_KINDS = ['httproutes', 'referencegrants'] as const
const ISTIO_KINDS = ['virtualservices'] as const

interface ServiceRef {
  readonly group: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string
  readonly port: number
}
interface HttpRoute {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: Record<string, string> }
  readonly spec: {
    readonly parentRefs: readonly ServiceRef[]
    readonly rules: readonly {
      readonly matches: readonly { readonly headers?: readonly { readonly type: string; readonly value: string }[] }[]
      readonly backendRefs?: readonly ServiceRef[]
    }[]
  }
}
interface VirtualService {
  readonly spec: {
    readonly hosts: readonly string[]
    readonly http: readonly {
      readonly name: string
      readonly match?: readonly {
        readonly port: number
        readonly headers: { readonly baggage: { readonly regex: string } }
      }[]
      readonly route: readonly {
        readonly destination: { readonly host: string; readonly port?: { readonly number: number } }
      }[]
    }[]
  }
}

/** One system for the whole story: each test goes on where the one before has ended. There is no mesh on the cluster, only what one would read. */
describeWithCluster('header routes of a service mesh', () => {
  let folder: string
  let platform: ClusterPlatform
  let git: GitFixture
  let image: string

  const kubectl = (args: readonly string[], input = ''): Promise<string> => platform.kubectl(args, input)
  const definition = (name: string): string =>
    `apiVersion: tributary/v1\nkind: Service\nname: ${name}\nports: [{ name: http, port: 8080 }]\nhealth: { readiness: / }\nrun: { image: '${image}' }\n`
  const configured = (mesh: string) => ({
    instance: INSTANCE,
    repositories: { shop: git.url },
    settings: { drainSeconds: 0 },
    kubernetes: { mesh },
  })

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tributary-mesh-'))
    image = await testImage({
      name: 'tributary-churn',
      files: { 'server.cjs': TINY_PROGRAM },
      command: ['/app/server.cjs'],
    })
    git = await GitFixture.create(folder, 'shop', {
      'orders/service.yaml': definition('orders'),
      'stock/service.yaml': definition('stock'),
    })
    platform = await ClusterPlatform.prepare(configured('gamma'))
    await removeMeshKinds(kubectl, [...GATEWAY_KINDS, ...ISTIO_KINDS])
    await platform.startManager()
  })

  afterAll(async () => {
    // The kinds of objects in its namespaces go next.
    await platform.remove({ untilGone: true })
    await removeMeshKinds(kubectl, [...GATEWAY_KINDS, ...ISTIO_KINDS])
    // kubectl keeps a cache in its home, the platform's folder.
    for (const one of [folder, platform.directory]) await rm(one, { recursive: true, force: true })
  })

  const list = async <T>(kind: string): Promise<T[]> =>
    (
      JSON.parse(await kubectl(['get', kind, '-A', '-l', `tributary.dev/instance=${INSTANCE}`, '-o', 'json'])) as {
        items: T[]
      }
    ).items
  const nameOf = (namespace: string): string => namespace.slice(PREFIX.length)
  /** `at/service: requests of whom -> to whom`. */
  const httpRoutes = async (): Promise<string[]> =>
    (await list<HttpRoute>('httproutes'))
      .map(({ metadata, spec }) => {
        const [led] = spec.rules
        const [parent] = spec.parentRefs
        const to = nameOf(led?.backendRefs?.[0]?.namespace ?? '')
        return `${nameOf(metadata.namespace)}/${parent?.name}: ${metadata.labels['tributary.dev/environment']} -> ${to}`
      })
      .sort()
  const untilRoutes = (...expected: readonly string[]): Promise<void> =>
    eventually(async () => expect(await httpRoutes()).toEqual(expected.toSorted()), {
      timeoutMs: 60_000,
      intervalMs: 200,
    })
  const untilCondition = (name: string, status: Condition['status']): Promise<Condition> =>
    waitFor(
      `MeshRouted=${status} of ${name}`,
      async () => {
        const { conditions } = await platform.envManager.getEnvironment(name)
        return conditions.find((one) => one.type === 'MeshRouted' && one.status === status)
      },
      { timeoutMs: 60_000, everyMs: 100 },
    )

  it('are asked of a cluster that knows no such kinds: environments come up, and a condition says what is missing', async () => {
    await git.push('feature/x', { 'orders/text': 'changed\n' })
    await platform.untilReady('integration')
    await platform.untilReady(X)
    const { reason, message } = await untilCondition(X, 'False')
    expect([reason, message]).toEqual(['RoutesNotPossible', expect.stringContaining('no ReferenceGrant')])
  })

  it('are made by the next push once it does, at the baseline’s Service and into the branch’s namespace', async () => {
    await installMeshKinds(kubectl, GATEWAY_KINDS)
    const commit = await git.push('feature/x', { 'orders/text': 'changed again\n' })
    await platform.untilReady(X, { orders: commit })
    await untilRoutes('integration/orders: feature-x -> feature-x')
    await untilCondition(X, 'True')
    const [route] = await list<HttpRoute>('httproutes')
    const service = { group: '', kind: 'Service', name: 'orders' }
    expect(route?.spec.parentRefs).toEqual([80, 8080].map((port) => ({ ...service, port })).toReversed())
    expect(route?.spec.rules.map(({ backendRefs }) => backendRefs)).toEqual([
      [{ ...service, namespace: `${PREFIX}${X}`, port: 8080 }],
      [{ ...service, port: 8080 }],
    ])
    // What the API server keeps of the expression is what reads a header.
    const [match] = route?.spec.rules[0]?.matches[0]?.headers ?? []
    expect(match?.type).toBe('RegularExpression')
    const reads = new RegExp(match?.value ?? 'nothing')
    expect(reads.test(`a=1, tributary-tenant = ${X};p , b=2`)).toBe(true)
    expect(reads.test('tributary-tenant=feature-xy')).toBe(false)
    const grants = await list<{ metadata: { namespace: string }; spec: { from: { namespace: string }[] } }>(
      'referencegrants',
    )
    expect(
      grants.map(({ metadata, spec }) => [metadata.namespace, spec.from.map(({ namespace }) => namespace)]),
    ).toEqual([[`${PREFIX}${X}`, [`${PREFIX}integration`]]])
  })

  it('come with further services, and follow the resolution of a branch of the branch', async () => {
    const more = await git.push('feature/x', { 'stock/text': 'changed\n' })
    await platform.untilReady(X, { stock: more })
    const base = 'apiVersion: tributary/v1\nkind: Environment\nbase: feature/x\n'
    const deep = await git.push(
      'feature/deep',
      { 'tributary.yaml': base, 'stock/text': 'deep\n' },
      { from: 'feature/x' },
    )
    await platform.untilReady(DEEP, { stock: deep })
    await untilRoutes(
      'integration/orders: feature-x -> feature-x',
      'integration/stock: feature-x -> feature-x',
      'integration/orders: feature-deep -> feature-x',
      'integration/stock: feature-deep -> feature-deep',
      'feature-x/stock: feature-deep -> feature-deep',
    )
  })

  it('go with a service that the branch no longer changes, from those over it too, and come back from sleep', async () => {
    await git.push('feature/x', { 'stock/text': null })
    const withoutStock = [
      'integration/orders: feature-x -> feature-x',
      'integration/orders: feature-deep -> feature-x',
      'integration/stock: feature-deep -> feature-deep',
    ]
    await untilRoutes(...withoutStock)
    await platform.envManager.sleepEnvironment(X)
    await untilRoutes('integration/stock: feature-deep -> feature-deep')
    await platform.envManager.wakeEnvironment(X)
    await untilRoutes(...withoutStock)
  })

  it('become VirtualServices when the configuration says Istio, one for a Service with the default last, and somebody else’s stays', async () => {
    await installMeshKinds(kubectl, ISTIO_KINDS)
    const foreign = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'somebody-elses', namespace: `${PREFIX}integration` },
      spec: { parentRefs: [{ name: 'edge' }], rules: [{ backendRefs: [{ name: 'orders', port: 80 }] }] },
    }
    await kubectl(['apply', '-f', '-'], JSON.stringify(foreign))
    await platform.killManager()
    await platform.writeConfig(configured('istio'))
    await platform.startManager()
    await untilRoutes()
    const services = await eventually(
      async () => {
        const found = await list<VirtualService>('virtualservices')
        expect(found.map(({ spec }) => spec.http.length).toSorted()).toEqual([2, 3])
        return found
      },
      { timeoutMs: 60_000, intervalMs: 200 },
    )
    const hostOf = (service: string, environment: string): string =>
      `${service}.${PREFIX}${environment}.svc.cluster.local`
    const orders = services.find(({ spec }) => spec.hosts[0] === hostOf('orders', 'integration'))
    expect(orders?.spec.http.map(({ name, route }) => [name, route[0]?.destination.host])).toEqual([
      ['tributary.feature-deep.8080', hostOf('orders', X)],
      ['tributary.feature-x.8080', hostOf('orders', X)],
      ['default', hostOf('orders', 'integration')],
    ])
    const [rule] = orders?.spec.http ?? []
    expect(rule?.match?.map(({ port }) => port)).toEqual([8080, 80])
    expect(new RegExp(rule?.match?.[0]?.headers.baggage.regex ?? 'nothing').test(`tributary-tenant=${DEEP}`)).toBe(true)
    expect(await kubectl(['get', 'httproutes', '-A', '-o', 'name'])).toBe(
      'httproute.gateway.networking.k8s.io/somebody-elses',
    )
  })

  it('go with their environment before it does, and stand in its receipt', async () => {
    const { lines } = await platform.envManager.listLedger(DEEP)
    const made = lines.filter(({ kind }) => kind === 'virtualservice').map(({ id }) => id)
    expect(made.toSorted()).toEqual(['orders', 'stock'].map((service) => `${PREFIX}integration/tributary.${service}`))
    for (const branch of ['feature/deep', 'feature/x']) await git.delete(branch)
    for (const name of [DEEP, X]) await platform.untilGone(name)
    const { receipts } = await platform.envManager.listReceipts(DEEP)
    expect(
      receipts[0]?.resources
        .filter(({ kind }) => kind === 'virtualservice')
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(made.toSorted())
    for (const name of [DEEP, X]) expect(await platform.leftOver(name)).toEqual([])
    expect(await list('virtualservices')).toEqual([])
  })
})
