import type { HeaderRoute, RoutedPorts } from '../../../domain/header-routes.js'
import type { RouteObject } from '../cluster-objects.js'
import { baggagePatternOf } from './baggage-pattern.js'
import { meshLabels, type MeshCluster } from './mesh-cluster.js'

/** Name of the one ReferenceGrant in an environment's namespace. */
const GRANT_NAME = 'tributary-mesh'
const EVERY_PATH = { type: 'PathPrefix', value: '/' }

/**
 * HTTPRoutes of an environment for the Gateway API's mesh (GAMMA, Gateway API 1.1 and later): one for each port that a Service leads to, in the namespace of
 * that Service, so that it holds for all who call it. Each is of this environment alone and says the default too: where a Service has a route at all, what
 * matches none is refused. Of several routes the one that matches more headers goes first. Pure.
 */
export function httpRoutesOf(
  cluster: MeshCluster,
  environment: string,
  routes: readonly HeaderRoute[],
): readonly RouteObject[] {
  return routes.flatMap((route) => route.ports.map((ports) => httpRouteOf(cluster, environment, { route, ports })))
}

/**
 * The ReferenceGrant that lets routes at Services below lead into the environment's namespace; undefined when none does. It says nothing about who may
 * call: that is the NetworkPolicy's. Pure.
 */
export function referenceGrantOf(
  cluster: MeshCluster,
  environment: string,
  routes: readonly HeaderRoute[],
): RouteObject | undefined {
  const from = [...new Set(routes.filter(({ to }) => to === environment).map(({ at }) => cluster.namespaceOf(at)))]
  if (from.length === 0) return undefined
  const group = 'gateway.networking.k8s.io'
  return {
    metadata: {
      name: GRANT_NAME,
      namespace: cluster.namespaceOf(environment),
      labels: meshLabels(cluster, environment),
    },
    spec: {
      from: from.sort().map((namespace) => ({ group, kind: 'HTTPRoute', namespace })),
      to: [{ group: '', kind: 'Service' }],
    },
  }
}

function httpRouteOf(
  cluster: MeshCluster,
  environment: string,
  { route, ports }: { readonly route: HeaderRoute; readonly ports: RoutedPorts },
): RouteObject {
  const { at, service: name, to } = route
  const service = { group: '', kind: 'Service', name }
  const headers = [{ type: 'RegularExpression', name: 'baggage', value: baggagePatternOf(environment) }]
  // A rule without backends answers 500: a masked service is answered by nobody.
  const backends =
    to === null ? {} : { backendRefs: [{ ...service, namespace: cluster.namespaceOf(to), port: ports.to }] }
  return {
    metadata: {
      name: `tributary.${environment}.${name}.${ports.own}`,
      namespace: cluster.namespaceOf(at),
      labels: meshLabels(cluster, environment),
    },
    spec: {
      parentRefs: ports.ports.map((port) => ({ ...service, port })),
      rules: [
        { matches: [{ path: EVERY_PATH, headers }], ...backends },
        { matches: [{ path: EVERY_PATH }], backendRefs: [{ ...service, port: ports.own }] },
      ],
    },
  }
}
