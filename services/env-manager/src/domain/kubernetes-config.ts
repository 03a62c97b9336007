import { Type, type Static } from 'typebox'
import { KubernetesRoutesFile, routesWithDefaults, type KubernetesRoutesConfig } from './kubernetes-routes-config.js'

const strict = { additionalProperties: false } as const
const kubeName = (description: string) =>
  Type.String({ pattern: '^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$', maxLength: 253, description })
const quantities = (description: string) =>
  Type.Record(
    Type.String({ minLength: 1, maxLength: 100 }),
    Type.Union([Type.String({ maxLength: 32 }), Type.Number()]),
    {
      maxProperties: 50,
      description,
    },
  )

/** `platform.kubernetes` of `tributary.config.yaml`. */
export const KubernetesConfigFile = Type.Object(
  {
    kubeconfig: Type.Optional(
      Type.String({ minLength: 1, description: 'path; default: the pod’s ServiceAccount, else KUBECONFIG' }),
    ),
    context: Type.Optional(
      Type.String({ minLength: 1, description: 'context of the kubeconfig; default: its current one' }),
    ),
    clusterDomain: Type.Optional(kubeName('default: cluster.local')),
    systemNamespace: Type.Optional(
      kubeName(
        'namespace that Tributary runs in; secrets are copied from it, and its pods may call into environments. Default: tributary',
      ),
    ),
    namespacePrefix: Type.Optional(
      Type.String({
        pattern: '^[a-z0-9]([-a-z0-9]{0,19}[a-z0-9])?-$|^$',
        maxLength: 22,
        description: 'before the name of each environment’s namespace, e.g. team-a-; default: none',
      }),
    ),
    quota: Type.Optional(quantities('`hard` of each environment’s ResourceQuota; default: pods 50')),
    limits: Type.Optional(
      Type.Object(
        {
          default: Type.Optional(quantities('limits of a container that names none')),
          defaultRequest: Type.Optional(quantities('requests of a container that names none')),
          max: Type.Optional(quantities('most that a container may have')),
        },
        { ...strict, description: 'LimitRange of each environment' },
      ),
    ),
    networkPolicies: Type.Optional(
      Type.Object(
        {
          enabled: Type.Optional(Type.Boolean({ description: 'default: true' })),
          allowFromNamespaces: Type.Optional(
            Type.Array(kubeName('further namespaces that may call in, e.g. of the ingress controller'), {
              maxItems: 20,
            }),
          ),
          egress: Type.Optional(
            Type.Array(Type.Record(Type.String(), Type.Unknown()), {
              maxItems: 50,
              description:
                'NetworkPolicy egress rules besides DNS and this installation’s namespaces; default: everything is open',
            }),
          ),
        },
        strict,
      ),
    ),
    imagePullSecrets: Type.Optional(
      Type.Array(kubeName('Secret of the system namespace, copied into each environment'), { maxItems: 10 }),
    ),
    copySecrets: Type.Optional(
      Type.Array(kubeName('Secret of the system namespace, copied into each environment'), { maxItems: 50 }),
    ),
    chart: Type.Optional(
      Type.String({ minLength: 1, description: 'chart of services that name none; default: the bundled one' }),
    ),
    charts: Type.Optional(
      Type.Object(
        {
          registries: Type.Optional(
            Type.Array(
              Type.String({
                pattern: '^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?(:[1-9][0-9]{0,4})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$',
                maxLength: 512,
                description: 'registry.example, or registry.example:5000/team for what is below a path',
              }),
              { maxItems: 50, description: 'that services may take oci:// charts from; default: none' },
            ),
          ),
          hosts: Type.Optional(
            Type.Array(
              Type.String({
                pattern: '^([-a-z0-9]|\\{environment\\})+(\\.([-a-z0-9]|\\{environment\\})+)*$',
                maxLength: 253,
                description:
                  'such as shop-{environment}.example.com; without {environment} any environment may claim it',
              }),
              {
                maxItems: 50,
                description:
                  'that Ingresses and routes of charts may claim besides the environment’s own host and names below it; default: none',
              },
            ),
          ),
        },
        { ...strict, description: 'what charts that services bring may do' },
      ),
    ),
    values: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: 'values laid over those of every service’s chart' }),
    ),
    workloadIdentity: Type.Optional(
      Type.Boolean({
        description:
          'pods prove themselves to the config center with their ServiceAccount’s token, not with one in a Secret. Default: false',
      }),
    ),
    routes: Type.Optional(KubernetesRoutesFile),
    mesh: Type.Optional(
      Type.Enum(['gamma', 'istio', 'none'], {
        description:
          'header routes at the Services of baselines, by which a mesh leads requests to their environment for programs without the SDK: by the Gateway API (gamma: 1.1 and later) or VirtualServices (istio). Default: none',
      }),
    ),
    access: Type.Optional(
      Type.Object(
        {
          clusterRole: kubeName(
            'ClusterRole that the manager’s account gets in each environment’s namespace by a RoleBinding',
          ),
          serviceAccount: Type.Object({ name: kubeName('name'), namespace: kubeName('namespace') }, strict),
        },
        { ...strict, description: 'for an account that may touch nothing but the namespaces which it makes' },
      ),
    ),
  },
  strict,
)

/** {@link KubernetesConfigFile} with every default filled in. */
export interface KubernetesConfig {
  readonly kubeconfig?: string
  readonly context?: string
  readonly clusterDomain: string
  readonly systemNamespace: string
  readonly namespacePrefix: string
  readonly quota: Readonly<Record<string, string>>
  readonly limits: {
    readonly default?: Readonly<Record<string, string>>
    readonly defaultRequest?: Readonly<Record<string, string>>
    readonly max?: Readonly<Record<string, string>>
  }
  readonly networkPolicies: {
    readonly enabled: boolean
    readonly allowFromNamespaces: readonly string[]
    /** Undefined: everything is open. */
    readonly egress?: readonly Readonly<Record<string, unknown>>[]
  }
  readonly imagePullSecrets: readonly string[]
  readonly copySecrets: readonly string[]
  readonly chart?: string
  /** What charts that services bring may do. Hosts may hold `{environment}`. */
  readonly charts: { readonly registries: readonly string[]; readonly hosts: readonly string[] }
  readonly values: Readonly<Record<string, unknown>>
  readonly workloadIdentity: boolean
  readonly routes: KubernetesRoutesConfig
  /** Absent: there is no mesh. `none`: there is none now, and what was made for one before is removed. */
  readonly mesh?: 'gamma' | 'istio' | 'none'
  readonly access?: {
    readonly clusterRole: string
    readonly serviceAccount: { readonly name: string; readonly namespace: string }
  }
}

/** Fills in the defaults. */
export function kubernetesWithDefaults(file: Static<typeof KubernetesConfigFile>): KubernetesConfig {
  const { kubeconfig, context, chart, access, routes, mesh, networkPolicies: network = {} } = file
  const limits = file.limits ?? { defaultRequest: { cpu: '50m', memory: '64Mi' } }
  return {
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(context === undefined ? {} : { context }),
    ...(chart === undefined ? {} : { chart }),
    ...(access === undefined ? {} : { access }),
    ...(mesh === undefined ? {} : { mesh }),
    routes: routesWithDefaults(routes),
    clusterDomain: file.clusterDomain ?? 'cluster.local',
    systemNamespace: file.systemNamespace ?? 'tributary',
    namespacePrefix: file.namespacePrefix ?? '',
    quota: texts(file.quota ?? { pods: 50 }),
    limits: Object.fromEntries(Object.entries(limits).map(([name, values]) => [name, texts(values)])),
    networkPolicies: {
      enabled: network.enabled ?? true,
      allowFromNamespaces: network.allowFromNamespaces ?? [],
      ...(network.egress === undefined ? {} : { egress: network.egress }),
    },
    imagePullSecrets: file.imagePullSecrets ?? [],
    copySecrets: file.copySecrets ?? [],
    charts: { registries: file.charts?.registries ?? [], hosts: file.charts?.hosts ?? [] },
    values: file.values ?? {},
    workloadIdentity: file.workloadIdentity ?? false,
  }
}

/** Quantities are text in the API; `2` and `"2"` are the same there. */
function texts(values: Readonly<Record<string, string | number>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))
}
