import type { KubernetesRoutesConfig } from '../../domain/kubernetes-routes-config.js'
import type { RouteObject } from './cluster-objects.js'

/** Labels of a route: whose it is, and of which environment. */
export const ROUTE_LABELS = {
  managedBy: 'app.kubernetes.io/managed-by',
  instance: 'tributary.dev/instance',
  environment: 'tributary.dev/environment',
  service: 'tributary.dev/service',
  purpose: 'tributary.dev/purpose',
} as const

/** What a route says. */
export interface RouteFacts {
  readonly environment: string
  readonly instance: string
  readonly namespace: string
  readonly host: string
  readonly config: KubernetesRoutesConfig
}

/** Name of an environment's route. */
export function routeName(environment: string): string {
  return `preview-${environment}`
}

/** Selects the routes of an instance, or of one of its environments. */
export function routeSelector(instance: string, environment?: string): string {
  const { managedBy, purpose } = ROUTE_LABELS
  const all = `${managedBy}=tributary,${ROUTE_LABELS.instance}=${instance},${purpose}=route`
  return environment === undefined ? all : `${all},${ROUTE_LABELS.environment}=${environment}`
}

/** Whether a route is the one of this instance for this environment. */
export function isRouteOf({ metadata: { labels = {} } }: RouteObject, instance: string, environment: string): boolean {
  return (
    labels[ROUTE_LABELS.managedBy] === 'tributary' &&
    labels[ROUTE_LABELS.instance] === instance &&
    labels[ROUTE_LABELS.environment] === environment
  )
}

/** Leads the environment's host to the gateway, which does all else: no annotations that only one vendor's controller reads. */
export function ingressOf(facts: RouteFacts): RouteObject {
  const { host, config } = facts
  const { gatewayService: name, gatewayServicePort: number, ingressClass, tlsSecret } = config
  const backend = { service: { name, port: { number } } }
  const paths = [{ path: '/', pathType: 'Prefix', backend }]
  return {
    metadata: metadataOf(facts),
    spec: {
      ...(ingressClass === undefined ? {} : { ingressClassName: ingressClass }),
      ...(config.url.startsWith('https:')
        ? { tls: [{ hosts: [host], ...(tlsSecret === undefined ? {} : { secretName: tlsSecret }) }] }
        : {}),
      rules: [{ host, http: { paths } }],
    },
  }
}

/** As {@link ingressOf}; TLS is the Gateway's listener's. */
export function httpRouteOf(facts: RouteFacts): RouteObject {
  const { host, namespace, config } = facts
  const { gateway, gatewayService: name, gatewayServicePort: port } = config
  const parent = { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace, ...gateway }
  return {
    metadata: metadataOf(facts),
    spec: {
      parentRefs: [parent],
      hostnames: [host],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          backendRefs: [{ kind: 'Service', name, port }],
        },
      ],
    },
  }
}

function metadataOf({ environment, instance, namespace, config }: RouteFacts): RouteObject['metadata'] {
  return {
    name: routeName(environment),
    namespace,
    labels: {
      [ROUTE_LABELS.managedBy]: 'tributary',
      [ROUTE_LABELS.instance]: instance,
      [ROUTE_LABELS.environment]: environment,
      [ROUTE_LABELS.purpose]: 'route',
    },
    annotations: config.annotations,
  }
}
