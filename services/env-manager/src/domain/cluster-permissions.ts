/**
 * Where a permission is needed. `cluster`: in all namespaces, or for objects of the cluster. `environment`: in environments' namespaces, by the
 * RoleBinding that the manager makes in each. `system`: in the namespace that the platform runs in.
 */
export type PermissionScope = 'cluster' | 'environment' | 'system'

/** What an account may do with a resource. */
export interface ClusterPermission {
  readonly scope: PermissionScope
  /** `''` is the core group. */
  readonly group: string
  /** Plural, with the subresource: `pods/log`. */
  readonly resource: string
  readonly verbs: readonly string[]
  /** Undefined: what lacks it does not work at all. Else: what is lost without it. */
  readonly onlyFor?: string
}

/** A permission with the API server's answer. */
export interface ReviewedPermission {
  readonly scope: PermissionScope
  readonly group: string
  readonly resource: string
  readonly verb: string
  readonly allowed: boolean
  /** What is lost without it; null: everything. */
  readonly onlyFor: string | null
}

/** What the account may do in a cluster. */
export interface ClusterAccessReport {
  /** Address of the API server. */
  readonly server: string
  /** `v1.31.2`. */
  readonly version: string
  /** The environment's namespace that stood for all; null: the account's rights do not depend on it, or there is none yet. */
  readonly environmentNamespace: string | null
  readonly permissions: readonly ReviewedPermission[]
  /** The mesh that the configuration names, with the kinds that it needs and the cluster lacks; null: there is none. */
  readonly mesh: {
    readonly kind: 'gamma' | 'istio'
    readonly needed: readonly string[]
    readonly missing: readonly string[]
  } | null
}

const WRITE = ['get', 'list', 'create', 'update', 'patch', 'delete'] as const
const RUN = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] as const
const ROUTE = ['get', 'list', 'create', 'patch', 'delete'] as const

const permission = (scope: PermissionScope, name: string, verbs: readonly string[]): ClusterPermission => {
  const dot = name.indexOf('.')
  const [resource, group] = dot < 0 ? [name, ''] : [name.slice(0, dot), name.slice(dot + 1)]
  return { scope, group, resource, verbs }
}
const optional = (onlyFor: string, given: ClusterPermission): ClusterPermission => ({ ...given, onlyFor })

/**
 * Everything that the env-manager's account needs on a cluster, and nothing else: `charts/tributary` grants exactly this (a test compares), and
 * `tributary doctor` asks the API server for each.
 */
export const ENV_MANAGER_PERMISSIONS: readonly ClusterPermission[] = [
  permission('cluster', 'namespaces', ['get', 'list', 'create', 'patch', 'delete']),
  permission('cluster', 'rolebindings.rbac.authorization.k8s.io', ['get', 'list', 'create', 'patch']),
  permission('cluster', 'pods', ['list', 'watch']),
  permission('cluster', 'deployments.apps', ['list', 'watch']),
  permission('cluster', 'endpoints', ['list']),
  permission('cluster', 'limitranges', ['list']),
  permission('cluster', 'resourcequotas', ['list']),
  permission('cluster', 'services', ['list']),
  permission('cluster', 'networkpolicies.networking.k8s.io', ['list']),
  permission('environment', 'secrets', WRITE),
  permission('environment', 'services', WRITE),
  permission('environment', 'serviceaccounts', WRITE),
  permission('environment', 'endpoints', WRITE),
  permission('environment', 'limitranges', WRITE),
  permission('environment', 'resourcequotas', WRITE),
  permission('environment', 'networkpolicies.networking.k8s.io', WRITE),
  permission('environment', 'deployments.apps', RUN),
  permission('environment', 'replicasets.apps', ['get', 'list', 'watch']),
  permission('environment', 'pods', ['get', 'list', 'watch', 'delete']),
  permission('environment', 'pods/log', ['get']),
  permission('environment', 'events', ['list', 'watch']),
  permission('environment', 'jobs.batch', RUN),
  permission('environment', 'poddisruptionbudgets.policy', WRITE),
  permission('environment', 'rolebindings.rbac.authorization.k8s.io', ['get', 'list', 'delete']),
  ...[
    'configmaps',
    'persistentvolumeclaims',
    'ingresses.networking.k8s.io',
    'httproutes.gateway.networking.k8s.io',
    'horizontalpodautoscalers.autoscaling',
  ].map((name) => optional('services whose own charts make such objects', permission('environment', name, WRITE))),
  ...['statefulsets.apps', 'cronjobs.batch'].map((name) =>
    optional('services whose own charts make such objects', permission('environment', name, RUN)),
  ),
  optional(
    'names of services that come back: without it they may lead to former pods, too',
    permission('environment', 'endpointslices.discovery.k8s.io', ['list', 'delete']),
  ),
  optional('preview URLs by Ingress', permission('system', 'ingresses.networking.k8s.io', ROUTE)),
  optional('preview URLs by HTTPRoute', permission('system', 'httproutes.gateway.networking.k8s.io', ROUTE)),
]

const HTTP_ROUTES = 'httproutes.gateway.networking.k8s.io'
const REFERENCE_GRANTS = 'referencegrants.gateway.networking.k8s.io'
const VIRTUAL_SERVICES = 'virtualservices.networking.istio.io'
const MESH = ['get', 'list', 'create', 'update', 'delete'] as const
const REMOVE = ['get', 'list', 'delete'] as const
const inMesh = (scope: PermissionScope, name: string, verbs: readonly string[]): ClusterPermission =>
  optional('header routes of the mesh', permission(scope, name, verbs))

/**
 * What the account needs besides with `platform.kubernetes.mesh`, and gets by the chart's value `kubernetes.mesh`. With `none` written out: what it takes to
 * remove what an earlier setting made.
 */
export const MESH_PERMISSIONS: Readonly<Record<'gamma' | 'istio' | 'none', readonly ClusterPermission[]>> = {
  gamma: [
    inMesh('cluster', HTTP_ROUTES, ['list']),
    inMesh('cluster', REFERENCE_GRANTS, ['list']),
    inMesh('environment', HTTP_ROUTES, MESH),
    inMesh('environment', REFERENCE_GRANTS, MESH),
  ],
  istio: [inMesh('cluster', VIRTUAL_SERVICES, ['list']), inMesh('environment', VIRTUAL_SERVICES, MESH)],
  none: [
    ...[HTTP_ROUTES, REFERENCE_GRANTS, VIRTUAL_SERVICES].map((name) => inMesh('cluster', name, ['list'])),
    inMesh('environment', HTTP_ROUTES, REMOVE),
    inMesh('environment', REFERENCE_GRANTS, REMOVE),
    inMesh('environment', VIRTUAL_SERVICES, ['get', 'list', 'update', 'delete']),
  ],
}
