import { describe, expect, it } from 'vitest'
import { claimProblemsOf } from './chart-claims.js'
import { chartHostsOf } from './chart-hosts.js'

const OWN = 'feature-x.preview.example.com'
const OTHER = 'console.example.com'
const context = {
  kubeNamespace: 'feature-x',
  hosts: chartHostsOf({
    environment: 'feature-x',
    url: 'https://{environment}.preview.example.com',
    allowed: [],
    reservedUrls: [],
  }),
}
const NETWORKING = 'networking.k8s.io/v1'
const GATEWAY = 'gateway.networking.k8s.io/v1'
const ISTIO = 'networking.istio.io/v1'
const problemsOf = (kind: string, apiVersion: string, spec: object, metadata: object = {}): readonly string[] => {
  const object = { apiVersion, kind, metadata: { name: 'web', ...metadata }, spec }
  return claimProblemsOf(object, context)
}
const http = { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] }
const parentRefs = [{ name: 'edge', namespace: 'infra' }]
const toServices = [{ group: '', kind: 'Service', name: 'orders' }]

/** Objects that say a host in all places where one can stand. */
const PLACES: readonly (readonly [what: string, make: (host: unknown) => readonly string[]])[] = [
  [
    'a rule of an Ingress',
    (host) =>
      problemsOf('Ingress', NETWORKING, {
        rules: [
          { host: OWN, http },
          { host, http },
        ],
      }),
  ],
  ['an Ingress of old', (host) => problemsOf('Ingress', 'networking.k8s.io/v1beta1', { rules: [{ host, http }] })],
  ['an Ingress of very old', (host) => problemsOf('Ingress', 'extensions/v1beta1', { rules: [{ host, http }] })],
  ['the certificate of an Ingress', (host) => problemsOf('Ingress', NETWORKING, { tls: [{ hosts: [host] }] })],
  ['an HTTPRoute', (host) => problemsOf('HTTPRoute', GATEWAY, { parentRefs, hostnames: [OWN, host] })],
  [
    'an HTTPRoute of old',
    (host) => problemsOf('HTTPRoute', 'gateway.networking.k8s.io/v1beta1', { parentRefs, hostnames: [host] }),
  ],
  ['a GRPCRoute', (host) => problemsOf('GRPCRoute', GATEWAY, { parentRefs, hostnames: [host] })],
  [
    'a TLSRoute',
    (host) => problemsOf('TLSRoute', 'gateway.networking.k8s.io/v1alpha2', { parentRefs, hostnames: [host] }),
  ],
  [
    'a route that hangs on a Service and on a Gateway',
    (host) => problemsOf('HTTPRoute', GATEWAY, { parentRefs: [...toServices, ...parentRefs], hostnames: [host] }),
  ],
  [
    'a listener of a Gateway',
    (hostname) => problemsOf('Gateway', GATEWAY, { listeners: [{ hostname: OWN }, { hostname }] }),
  ],
  [
    'a listener beside a Gateway',
    (hostname) => problemsOf('XListenerSet', 'gateway.networking.x-k8s.io/v1alpha1', { listeners: [{ hostname }] }),
  ],
  ['a server of Istio', (host) => problemsOf('Gateway', ISTIO, { servers: [{ hosts: [host] }] })],
  [
    'a VirtualService',
    (host) => problemsOf('VirtualService', ISTIO, { hosts: [host], gateways: ['istio-system/edge'] }),
  ],
  ['a ServiceEntry', (host) => problemsOf('ServiceEntry', 'networking.istio.io/v1beta1', { hosts: [host] })],
  ['a Route of OpenShift', (host) => problemsOf('Route', 'route.openshift.io/v1', { host })],
  ['a proxy of Contour', (fqdn) => problemsOf('HTTPProxy', 'projectcontour.io/v1', { virtualhost: { fqdn } })],
  ['a server of nginx', (host) => problemsOf('VirtualServer', 'k8s.nginx.org/v1', { host })],
]

describe('what a chart claims of the outside', () => {
  it.each(PLACES)('may be its environment’s own host in %s, and no other', (_what, problems) => {
    expect(problems(OWN)).toEqual([])
    expect(problems(`orders.${OWN}`)).toEqual([])
    expect(problems(OTHER)).toEqual([
      `claims the host "${OTHER}", which is not this environment’s; it may claim ${OWN} and names below it; an operator can allow more with platform.kubernetes.charts.hosts`,
    ])
    expect(problems('*.preview.example.com')).toMatchObject([expect.stringContaining('and with them those of others')])
  })

  it.each(PLACES.filter(([what]) => !/VirtualService|ServiceEntry/.test(what)))(
    'may not be everything, by no host in %s',
    (_what, problems) => {
      expect(problems(undefined)).toMatchObject([expect.stringContaining('claims every host: it names none')])
    },
  )

  it.each([
    ['an HTTPRoute without hostnames', 'HTTPRoute', GATEWAY, { parentRefs }],
    ['an HTTPRoute with an empty list of them', 'HTTPRoute', GATEWAY, { parentRefs, hostnames: [] }],
    ['an HTTPRoute with a text in the place of the list', 'HTTPRoute', GATEWAY, { parentRefs, hostnames: OWN }],
    [
      'an Ingress whose certificate names none',
      'Ingress',
      NETWORKING,
      { rules: [{ host: OWN }], tls: [{ secretName: 'a' }] },
    ],
    ['a server of Istio', 'Gateway', ISTIO, { servers: [{ port: { number: 80 } }] }],
  ])('is everything for %s', (_what, kind, apiVersion, spec) => {
    expect(problemsOf(kind, apiVersion, spec)).toMatchObject([expect.stringContaining('claims every host')])
  })

  it.each([
    ['a default backend', { defaultBackend: { service: { name: 'web' } } }],
    ['a default backend of old', { backend: { serviceName: 'web' } }],
    ['a default backend beside its rules', { defaultBackend: {}, rules: [{ host: OWN }] }],
  ])('is what nobody else has for an Ingress with %s', (_what, spec) => {
    expect(problemsOf('Ingress', NETWORKING, spec)).toMatchObject([expect.stringContaining('has a default backend')])
  })

  it.each([
    ['nginx.ingress.kubernetes.io/server-alias'],
    ['nginx.ingress.kubernetes.io/server-snippet'],
    ['nginx.ingress.kubernetes.io/configuration-snippet'],
    ['nginx.org/server-snippets'],
    ['haproxy-ingress.github.io/server-alias-regex'],
    ['haproxy-ingress.github.io/config-backend'],
    ['konghq.com/host-aliases'],
    ['alb.ingress.kubernetes.io/conditions.web'],
  ])('may not be widened by the annotation %s', (name) => {
    const metadata = { annotations: { [name]: OWN } }
    expect(problemsOf('Ingress', NETWORKING, { rules: [{ host: OWN }] }, metadata)).toMatchObject([
      expect.stringContaining(`has the annotation ${name}, by which it can claim any host`),
    ])
  })

  it('may be set right by other annotations', () => {
    const annotations = { 'nginx.ingress.kubernetes.io/proxy-body-size': '8m', 'cert-manager.io/issuer': 'x' }
    expect(problemsOf('Ingress', NETWORKING, { rules: [{ host: OWN }] }, { annotations })).toEqual([])
  })

  it.each(['hostname', 'internal-hostname'])('is also what external-dns is told by %s, on any object', (name) => {
    const told = (text: string) =>
      problemsOf('Service', 'v1', {}, { annotations: { [`external-dns.alpha.kubernetes.io/${name}`]: text } })
    expect(told(`${OWN}, api.${OWN}`)).toEqual([])
    expect(told(`${OWN}, ${OTHER}`)).toMatchObject([expect.stringContaining(`claims the host "${OTHER}"`)])
    expect(told('')).toMatchObject([expect.stringContaining('claims every host')])
  })

  it.each([
    ['TCPRoute', 'gateway.networking.k8s.io/v1alpha2', { parentRefs }, 'takes a whole listener'],
    ['UDPRoute', 'gateway.networking.k8s.io/v1alpha2', { parentRefs }, 'takes a whole listener'],
    ['IngressRoute', 'traefik.io/v1alpha1', { routes: [] }, 'cannot be checked; use an Ingress or an HTTPRoute'],
    ['IngressRouteTCP', 'traefik.containo.us/v1alpha1', { routes: [] }, 'cannot be checked'],
    ['Mapping', 'getambassador.io/v3alpha1', { hostname: OWN }, 'cannot be checked'],
    ['ApisixRoute', 'apisix.apache.org/v2', {}, 'cannot be checked'],
    ['Route', 'route.openshift.io/v1', { host: OWN, wildcardPolicy: 'Subdomain' }, 'and with them those of others'],
    ['Service', 'v1', { externalIPs: ['10.0.0.1'] }, 'takes requests away from whoever has the addresses'],
  ])('is not told by a %s (%s)', (kind, apiVersion, spec, why) => {
    expect(problemsOf(kind, apiVersion, spec)).toMatchObject([expect.stringContaining(why)])
  })

  it('is the name of a DomainMapping', () => {
    const mapped = (name: string) => problemsOf('DomainMapping', 'serving.knative.dev/v1beta1', {}, { name })
    expect(mapped(OWN)).toEqual([])
    expect(mapped(OTHER)).toMatchObject([expect.stringContaining(`claims the host "${OTHER}"`)])
  })

  it('is nothing for what leads from service to service within the namespace', () => {
    expect(problemsOf('HTTPRoute', GATEWAY, { parentRefs: toServices })).toEqual([])
    expect(problemsOf('TCPRoute', 'gateway.networking.k8s.io/v1alpha2', { parentRefs: toServices })).toEqual([])
    const own = ['orders', 'orders.feature-x', 'orders.feature-x.svc', 'orders.feature-x.svc.cluster.local']
    expect(problemsOf('VirtualService', ISTIO, { hosts: own })).toEqual([])
    expect(problemsOf('VirtualService', ISTIO, { hosts: ['orders.integration'], exportTo: ['.'] })).toEqual([])
    expect(problemsOf('ServiceEntry', ISTIO, { hosts: ['api.stripe.com'], exportTo: ['.'] })).toEqual([])
    expect(problemsOf('HTTPProxy', 'projectcontour.io/v1', { routes: [] })).toEqual([])
    expect(problemsOf('Service', 'v1', { ports: [] })).toEqual([])
  })

  it.each([
    ['another namespace', { hosts: ['orders.integration'] }],
    ['another namespace in full', { hosts: ['orders.integration.svc.cluster.local'] }],
    ['everything', { hosts: ['*'] }],
    ['services of another namespace for all of them', { hosts: ['orders.integration'], exportTo: ['.', '*'] }],
    ['a gateway of others', { hosts: [OTHER], exportTo: ['.'], gateways: ['mesh', 'infra/edge'] }],
    ['something that is no text', { hosts: [7] }],
  ])('may not lead the calls of others away, by a VirtualService for %s', (_what, spec) => {
    expect(problemsOf('VirtualService', ISTIO, spec)).toHaveLength(1)
  })

  it('tells the same problem once', () => {
    const rules = [{ host: OTHER }, { host: OTHER }]
    expect(problemsOf('Ingress', NETWORKING, { rules, tls: [{ hosts: [OTHER] }] })).toHaveLength(1)
  })
})
