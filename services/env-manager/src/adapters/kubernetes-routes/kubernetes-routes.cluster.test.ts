import { systemClock } from '@tributary/kit'
import { describeWithCluster, eventually, testKubeconfig } from '@tributary/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { routesWithDefaults } from '../../domain/kubernetes-routes-config.js'
import { KubeApi } from '../kubernetes/api/kube-api.js'
import { loadCredentials } from '../kubernetes/api/kube-credentials.js'
import { KubeTransport } from '../kubernetes/api/kube-transport.js'
import { createKubernetesRoutes } from './kubernetes-routes.js'

const NAMESPACE = 'install-routes'
const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
}
const CRD_NAME = 'httproutes.gateway.networking.k8s.io'
const NAMESPACES = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces' }
const signal = new AbortController().signal

const string = { type: 'string' }
const port = { type: 'integer', minimum: 1, maximum: 65_535 }

/** As much of the Gateway API's own definition as a route of ours uses; the API server refuses what does not fit. */
const httpRouteSchema = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['parentRefs', 'hostnames', 'rules'],
      properties: {
        hostnames: { type: 'array', items: { type: 'string', pattern: '^[a-z0-9.-]+$' } },
        parentRefs: {
          type: 'array',
          items: {
            type: 'object',
            required: ['name'],
            properties: { group: string, kind: string, namespace: string, name: string, sectionName: string },
          },
        },
        rules: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              matches: {
                type: 'array',
                items: {
                  type: 'object',
                  properties: {
                    path: {
                      type: 'object',
                      properties: { type: { type: 'string', enum: ['Exact', 'PathPrefix'] }, value: string },
                    },
                  },
                },
              },
              backendRefs: {
                type: 'array',
                items: {
                  type: 'object',
                  required: ['name'],
                  properties: { group: string, kind: string, name: string, port },
                },
              },
            },
          },
        },
      },
    },
  },
}

describeWithCluster('routes on a real API server', () => {
  let api: KubeApi

  beforeAll(async () => {
    const credentials = loadCredentials({ kubeconfig: testKubeconfig() })
    api = new KubeApi({ transport: new KubeTransport(credentials), clock: systemClock })
    await api.apply(NAMESPACES, { metadata: { name: NAMESPACE } }, signal)
  })

  afterAll(async () => {
    await api.delete(CRD, { name: CRD_NAME }, { signal })
    await api.delete(NAMESPACES, { name: NAMESPACE }, { signal })
  })

  function routes(more: Partial<Parameters<typeof routesWithDefaults>[0]> = {}) {
    const config = routesWithDefaults({ url: 'https://{environment}.preview.example.com', ...more })
    return createKubernetesRoutes({ api, instance: 'install-routes', systemNamespace: NAMESPACE, config })
  }

  it('are accepted as Ingresses, twice, and are gone when they were removed', async () => {
    const made = routes({ ingressClass: 'nginx', tlsSecret: 'preview-tls' })
    await made.apply('install-x')
    await made.apply('install-x')
    expect(await made.list()).toEqual(['install-x'])
    expect((await made.verifyGone('install-x')).gone).toBe(false)
    await made.remove('install-x')
    await eventually(async () => expect((await made.verifyGone('install-x')).gone).toBe(true))
  })

  it('are accepted as HTTPRoutes from the moment that the cluster has them', async () => {
    const made = routes({ gateway: { name: 'edge' } })
    await made.apply('install-y')
    const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: httpRouteSchema } }
    const names = { kind: 'HTTPRoute', listKind: 'HTTPRouteList', plural: 'httproutes', singular: 'httproute' }
    const spec = { group: 'gateway.networking.k8s.io', scope: 'Namespaced', names, versions: [version] }
    const annotations = { 'api-approved.kubernetes.io': 'unapproved, a part for tests' }
    const definition = { metadata: { name: CRD_NAME, annotations }, spec }
    await api.apply(CRD, definition, signal)
    await eventually(async () => {
      await made.apply('install-y')
      expect((await made.verifyGone('install-y')).evidence).toContain('HTTPRoute preview-install-y')
    })
    expect((await made.verifyGone('install-y')).evidence).toContain('Ingress preview-install-y')
    await made.remove('install-y')
    await eventually(async () => expect((await made.verifyGone('install-y')).gone).toBe(true))
    expect(await made.list()).toEqual([])
  })
})
