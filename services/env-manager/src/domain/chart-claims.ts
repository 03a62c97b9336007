import { adviceOf, hostProblem, type ChartHosts } from './chart-hosts.js'
import type { KubeObject } from './chart-manifest.js'

/** Where a chart is to run, as far as claims are concerned. */
export interface ClaimContext {
  readonly kubeNamespace: string
  readonly hosts: ChartHosts
}

type Fields = Readonly<Record<string, unknown>>
/** A host, undefined for all of them, or a sentence's end that says why there is no telling. */
type Claim = { readonly host: unknown } | { readonly why: string }
type Reader = (spec: Fields, context: ClaimContext, name: string) => readonly Claim[]

const LISTENER: Claim = { why: 'takes a whole listener, whatever the host' }
const ADDRESSES: Claim = { why: 'takes requests away from whoever has the addresses of its externalIPs' }
const UNREADABLE: Claim = { why: 'claims hosts in a way that cannot be checked; use an Ingress or an HTTPRoute' }

/** Kinds that lead requests from outside to a service, by group. Objects of others claim nothing but by annotations. */
const READERS: Readonly<Record<string, Reader>> = {
  '/Service': ({ externalIPs }) => (listOf(externalIPs).length > 0 ? [ADDRESSES] : []),
  'networking.k8s.io/Ingress': ingress,
  'extensions/Ingress': ingress,
  'gateway.networking.k8s.io/HTTPRoute': route,
  'gateway.networking.k8s.io/GRPCRoute': route,
  'gateway.networking.k8s.io/TLSRoute': route,
  'gateway.networking.k8s.io/TCPRoute': (spec) => (isOfMesh(spec) ? [] : [LISTENER]),
  'gateway.networking.k8s.io/UDPRoute': (spec) => (isOfMesh(spec) ? [] : [LISTENER]),
  'gateway.networking.k8s.io/Gateway': listeners,
  'gateway.networking.k8s.io/ListenerSet': listeners,
  'gateway.networking.x-k8s.io/XListenerSet': listeners,
  'networking.istio.io/Gateway': ({ servers }) =>
    fieldsIn(servers).flatMap((one) => namesOf(one['hosts'], withoutScope)),
  'networking.istio.io/VirtualService': (spec, context) =>
    staysInMesh(spec) ? [] : foreignNames(spec['hosts'], context),
  'networking.istio.io/ServiceEntry': (spec, context) => (isPrivate(spec) ? [] : foreignNames(spec['hosts'], context)),
  'route.openshift.io/Route': ({ host, wildcardPolicy = 'None' }) => [
    wildcardPolicy === 'None' ? { host } : { host: `*.${String(host)}` },
  ],
  'projectcontour.io/HTTPProxy': ({ virtualhost }) =>
    virtualhost === undefined ? [] : [{ host: fieldsOf(virtualhost)['fqdn'] }],
  'k8s.nginx.org/VirtualServer': ({ host }) => [{ host }],
  'k8s.nginx.org/VirtualServerRoute': ({ host }) => [{ host }],
  'k8s.nginx.org/TransportServer': ({ host }) => [{ host }],
  'serving.knative.dev/DomainMapping': (_spec, _context, name) => [{ host: name }],
}

/** Kinds of edges whose hosts are expressions, or stand where no one field tells them. */
const UNREADABLE_KINDS =
  /^(traefik\.(io|containo\.us)\/IngressRoute(TCP|UDP)?|(x\.)?getambassador\.io\/.*(Mapping|Host)|apisix\.apache\.org\/ApisixRoute|gateway\.solo\.io\/(VirtualService|RouteTable))$/

/** Controllers give an Ingress further hosts by these, or put their text into a server's own configuration. */
const CLAIMING_ANNOTATIONS =
  /\/.*(server-alias|host-alias|snippet)|\/conditions\.|\/config-(backend|frontend|global|tcp)/
/** external-dns makes names of them, on any object: a list with commas. */
const DNS_ANNOTATIONS = /^external-dns\.alpha\.kubernetes\.io\/(internal-)?hostname$/

/** Why an object claims more of the outside than its environment's own; empty when it does not. */
export function claimProblemsOf(object: KubeObject, context: ClaimContext): readonly string[] {
  const claims = [...claimsByKind(object, context), ...claimsByAnnotation(object)]
  const problems = claims.flatMap((claim) =>
    'why' in claim ? `${claim.why}; ${adviceOf(context.hosts)}` : (hostProblem(claim.host, context.hosts) ?? []),
  )
  return [...new Set(problems)]
}

function claimsByKind(object: KubeObject, context: ClaimContext): readonly Claim[] {
  const { apiVersion, kind, metadata } = object
  const name = `${apiVersion.slice(0, Math.max(0, apiVersion.indexOf('/')))}/${kind}`
  if (UNREADABLE_KINDS.test(name)) return [UNREADABLE]
  const spec = fieldsOf('spec' in object ? object.spec : undefined)
  return Object.hasOwn(READERS, name) ? (READERS[name]?.(spec, context, metadata.name) ?? []) : []
}

function claimsByAnnotation({ kind, metadata }: KubeObject): readonly Claim[] {
  const annotations = Object.entries(fieldsOf('annotations' in metadata ? metadata.annotations : undefined))
  return annotations.flatMap(([name, value]): readonly Claim[] => {
    if (DNS_ANNOTATIONS.test(name))
      return String(value)
        .split(',')
        .map((host) => ({ host: host.trim() }))
    if (kind !== 'Ingress' || !CLAIMING_ANNOTATIONS.test(name)) return []
    return [{ why: `has the annotation ${name.slice(0, 317)}, by which it can claim any host` }]
  })
}

/** A rule without a host, a default backend and TLS without hosts are for every host that nobody else has. */
function ingress({ defaultBackend, backend, rules, tls }: Fields): readonly Claim[] {
  const takesRest = (defaultBackend ?? backend ?? undefined) !== undefined
  return [
    ...(takesRest
      ? [{ why: 'has a default backend, which takes the requests for every host that nobody else has' }]
      : []),
    ...fieldsIn(rules).map(({ host }) => ({ host })),
    ...fieldsIn(tls).flatMap(({ hosts }) => namesOf(hosts)),
  ]
}

function route(spec: Fields): readonly Claim[] {
  return isOfMesh(spec) ? [] : namesOf(spec['hostnames'])
}

function listeners({ listeners: all }: Fields): readonly Claim[] {
  return fieldsIn(all).map(({ hostname }) => ({ host: hostname }))
}

/** A route that hangs on Services alone is one between services: it leads nothing from outside. */
function isOfMesh({ parentRefs }: Fields): boolean {
  const parents = fieldsIn(parentRefs)
  return (
    parents.length > 0 && parents.every(({ kind, group }) => kind === 'Service' && (group === '' || group === 'core'))
  )
}

function staysInMesh(spec: Fields): boolean {
  const gateways = listOf(spec['gateways'] ?? ['mesh'])
  return isPrivate(spec) && gateways.every((gateway) => gateway === 'mesh')
}

/** Only callers of the same namespace go by it. */
function isPrivate({ exportTo }: Fields): boolean {
  const scopes = listOf(exportTo)
  return scopes.length > 0 && scopes.every((scope) => scope === '.')
}

/** Names but those of the namespace's own services. */
function foreignNames(names: unknown, { kubeNamespace }: ClaimContext): readonly Claim[] {
  const isOwn = (name: unknown): boolean => {
    const [service = '', namespace = kubeNamespace, svc = 'svc'] = typeof name === 'string' ? name.split('.') : ['*']
    return service !== '' && !service.includes('*') && namespace === kubeNamespace && svc === 'svc'
  }
  return listOf(names)
    .filter((name) => !isOwn(name))
    .map((host) => ({ host }))
}

/** Every name of a list; an empty or missing one stands for all hosts. */
function namesOf(names: unknown, change: (name: unknown) => unknown = (name) => name): readonly Claim[] {
  const all = listOf(names)
  return all.length === 0 ? [{ host: undefined }] : all.map((host) => ({ host: change(host) }))
}

/** Istio writes `namespace/host`. */
function withoutScope(name: unknown): unknown {
  return typeof name === 'string' ? name.slice(name.indexOf('/') + 1) : name
}

function fieldsIn(value: unknown): readonly Fields[] {
  return listOf(value).map(fieldsOf)
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
