import { AppError } from '@tributary/kit'
import { beforeEach, describe, expect, it } from 'vitest'
import { routesWithDefaults } from '../../domain/kubernetes-routes-config.js'
import type { ClusterObjects, RouteObject, RouteResource } from './cluster-objects.js'
import { createKubernetesRoutes } from './kubernetes-routes.js'

/** An API server in memory: objects by kind and name, and what discovery tells. */
class MemoryCluster implements ClusterObjects {
  readonly objects = new Map<string, RouteObject>()
  readonly documents = new Map<string, unknown>()

  async find({ kind }: RouteResource, { name }: { readonly name: string }): Promise<RouteObject | undefined> {
    return this.objects.get(`${kind}/${name}`)
  }

  async list({ kind }: RouteResource, { labelSelector }: { readonly labelSelector: string }) {
    const wanted = labelSelector.split(',').map((each) => each.split('='))
    const items = [...this.objects]
      .filter(([key]) => key.startsWith(`${kind}/`))
      .map(([, object]) => object)
      .filter(({ metadata }) => wanted.every(([name = '', value]) => metadata.labels?.[name] === value))
    return { items }
  }

  async apply({ kind }: RouteResource, object: RouteObject): Promise<RouteObject> {
    this.objects.set(`${kind}/${object.metadata.name}`, object)
    return object
  }

  create = (resource: RouteResource, object: RouteObject): Promise<RouteObject> => this.apply(resource, object)
  replace = (resource: RouteResource, object: RouteObject): Promise<RouteObject> => this.apply(resource, object)

  async delete({ kind }: RouteResource, { name }: { readonly name: string }): Promise<void> {
    this.objects.delete(`${kind}/${name}`)
  }

  async read<T>(path: string): Promise<T> {
    const found = this.documents.get(path)
    if (found === undefined) throw new AppError({ kind: 'not_found', code: 'KUBERNETES_NOT_FOUND', message: path })
    return found as T
  }

  serveGatewayApi(version: string, resources: readonly string[] = ['gateways', 'httproutes']): void {
    const group = '/apis/gateway.networking.k8s.io'
    this.documents.set(group, { versions: [{ version }] })
    this.documents.set(`${group}/${version}`, { resources: resources.map((name) => ({ name })) })
  }
}

const URL = 'https://{environment}.preview.example.com'
let cluster: MemoryCluster

beforeEach(() => {
  cluster = new MemoryCluster()
})

function routes(more: Partial<Parameters<typeof routesWithDefaults>[0]> = {}, instance = 'main') {
  const config = routesWithDefaults({ url: URL, ...more })
  return createKubernetesRoutes({ api: cluster, instance, systemNamespace: 'tributary', config })
}

describe('routes of a cluster', () => {
  it('have URLs by the configured pattern', () => {
    expect(routes().urlOf('feature-x')).toBe('https://feature-x.preview.example.com/')
    expect(routes({ url: `${URL}:8443/` }).urlOf('feature-x', 'orders')).toBe(
      'https://feature-x.preview.example.com:8443/orders/',
    )
  })

  it('are Ingresses to the gateway, with TLS, in a cluster without the Gateway API', async () => {
    await routes({ ingressClass: 'nginx', tlsSecret: 'preview-tls', annotations: { a: 'b' } }).apply('feature-x')
    expect([...cluster.objects]).toEqual([
      [
        'Ingress/preview-feature-x',
        {
          metadata: {
            name: 'preview-feature-x',
            namespace: 'tributary',
            labels: {
              'app.kubernetes.io/managed-by': 'tributary',
              'tributary.dev/instance': 'main',
              'tributary.dev/environment': 'feature-x',
              'tributary.dev/purpose': 'route',
            },
            annotations: { a: 'b' },
          },
          spec: {
            ingressClassName: 'nginx',
            tls: [{ hosts: ['feature-x.preview.example.com'], secretName: 'preview-tls' }],
            rules: [
              {
                host: 'feature-x.preview.example.com',
                http: {
                  paths: [
                    {
                      path: '/',
                      pathType: 'Prefix',
                      backend: { service: { name: 'tributary-gateway', port: { number: 80 } } },
                    },
                  ],
                },
              },
            ],
          },
        },
      ],
    ])
  })

  it('ask for no TLS where previews are plain HTTP', async () => {
    await routes({ url: 'http://{environment}.preview.test:8080' }).apply('feature-x')
    expect(cluster.objects.get('Ingress/preview-feature-x')?.spec).not.toHaveProperty('tls')
  })

  it('are HTTPRoutes where a gateway is named and the cluster has them', async () => {
    cluster.serveGatewayApi('v1')
    await routes({ gateway: { name: 'edge', namespace: 'infra', sectionName: 'previews' } }).apply('feature-x')
    expect([...cluster.objects.keys()]).toEqual(['HTTPRoute/preview-feature-x'])
    expect(cluster.objects.get('HTTPRoute/preview-feature-x')?.spec).toMatchObject({
      parentRefs: [{ kind: 'Gateway', name: 'edge', namespace: 'infra', sectionName: 'previews' }],
      hostnames: ['feature-x.preview.example.com'],
      rules: [{ backendRefs: [{ kind: 'Service', name: 'tributary-gateway', port: 80 }] }],
    })
  })

  it.each([
    ['no gateway is named', {}, true],
    ['the cluster has none', { gateway: { name: 'edge' } }, false],
    ['it is configured so', { kind: 'ingress' as const, gateway: { name: 'edge' } }, true],
  ])('are Ingresses when %s', async (_, config, hasGatewayApi) => {
    if (hasGatewayApi) cluster.serveGatewayApi('v1beta1')
    await routes(config).apply('feature-x')
    expect([...cluster.objects.keys()]).toEqual(['Ingress/preview-feature-x'])
  })

  it('are not made where something else leads the whole domain to the gateway; those of before are still found', async () => {
    await routes().apply('feature-x')
    const none = routes({ kind: 'none' })
    await none.apply('feature-y')
    expect([...cluster.objects.keys()]).toEqual(['Ingress/preview-feature-x'])
    expect(await none.list()).toEqual(['feature-x'])
    await none.remove('feature-x')
    expect(await none.verifyGone('feature-x')).toMatchObject({ gone: true })
  })

  it('without a URL are for a port-forward to the gateway', async () => {
    const config = routesWithDefaults()
    const forwarded = createKubernetesRoutes({ api: cluster, instance: 'main', systemNamespace: 'tributary', config })
    await forwarded.apply('feature-x')
    expect([forwarded.urlOf('feature-x'), cluster.objects.size]).toEqual(['http://feature-x.localhost:7480/', 0])
  })

  it('are refused when the configuration asks for HTTPRoutes that cannot be', async () => {
    const gateway = { name: 'edge' }
    await expect(routes({ kind: 'gateway-api', gateway }).apply('x')).rejects.toMatchObject({
      code: 'ROUTES_NOT_POSSIBLE',
    })
    cluster.serveGatewayApi('v1', ['gateways'])
    await expect(routes({ kind: 'gateway-api', gateway }).apply('x')).rejects.toMatchObject({
      code: 'ROUTES_NOT_POSSIBLE',
    })
    cluster.serveGatewayApi('v1')
    await expect(routes({ kind: 'gateway-api' }).apply('x')).rejects.toMatchObject({ code: 'ROUTES_NOT_POSSIBLE' })
  })

  it('are removed whatever kind they were made as, and seen to be gone', async () => {
    await routes().apply('feature-x')
    cluster.serveGatewayApi('v1')
    const now = routes({ gateway: { name: 'edge' } })
    await now.apply('feature-x')
    expect(await now.verifyGone('feature-x')).toEqual({
      gone: false,
      evidence: 'Ingress preview-feature-x, HTTPRoute preview-feature-x in tributary',
    })
    await now.remove('feature-x')
    await now.remove('feature-x')
    expect(await now.verifyGone('feature-x')).toEqual({
      gone: true,
      evidence: 'no Ingress and no HTTPRoute of feature-x in tributary',
    })
  })

  it('are found again by their labels, one instance’s apart from another’s', async () => {
    for (const environment of ['feature-y', 'feature-x']) await routes().apply(environment)
    await routes({}, 'other').apply('feature-z')
    expect([await routes().list(), await routes({}, 'other').list()]).toEqual([
      ['feature-x', 'feature-y'],
      ['feature-z'],
    ])
    await routes({}, 'other').remove('feature-x')
    expect(await routes().list()).toEqual(['feature-x', 'feature-y'])
  })

  it('leave alone what somebody else made under their name', async () => {
    const foreign: RouteObject = { metadata: { name: 'preview-feature-x' } }
    cluster.objects.set('Ingress/preview-feature-x', foreign)
    await expect(routes().apply('feature-x')).rejects.toMatchObject({ code: 'ROUTE_NAME_TAKEN' })
    await routes().remove('feature-x')
    expect(cluster.objects.get('Ingress/preview-feature-x')).toBe(foreign)
  })
})
