import { devNull } from 'node:os'
import { join } from 'node:path'

/** How helm reaches its cluster: a kubeconfig, or the ServiceAccount of the pod that the manager runs in. */
export type ClusterAccess = { readonly kubeconfig: string; readonly kubeContext?: string } | 'in-cluster'

/** What the environment of helm is made of. */
export interface HelmEnvironmentOptions {
  /** The manager's own environment. */
  readonly host: Readonly<Record<string, string | undefined>>
  /** Absolute path of the adapter's own folder. Nothing of the user's helm is read or written. */
  readonly home: string
  /** `none`: helm then can reach no cluster. */
  readonly cluster: ClusterAccess | 'none'
  /** File of registry credentials (`helm registry login` or `docker login` makes one). */
  readonly registryConfig?: string | undefined
}

/** To reach a cluster or a registry through whatever stands between. */
const NETWORK = [
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
] as const
const IN_CLUSTER = ['KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT'] as const
/** A kubeconfig may name a program that fetches credentials: it gets what the known ones read. */
const CREDENTIAL_PLUGINS = /^(HOME|USER|AWS_|AZURE_|GOOGLE_|CLOUDSDK_|XDG_)/

/** Folder of what helm keeps for itself. */
export function helmFolder(home: string): string {
  return join(home, 'helm')
}

/** The whole environment of a helm command: fixed but for what it takes to reach its cluster and registries. */
export function helmEnvironment(options: HelmEnvironmentOptions): Record<string, string> {
  const own = helmFolder(options.home)
  return {
    PATH: options.host['PATH'] ?? '',
    HOME: own,
    ...picked(options.host, (name) => NETWORK.some((one) => one === name)),
    ...accessOf(options),
    LC_ALL: 'C',
    NO_COLOR: '1',
    TMPDIR: own,
    KUBECACHEDIR: join(own, 'kube'),
    HELM_CACHE_HOME: join(own, 'cache'),
    HELM_CONFIG_HOME: join(own, 'config'),
    HELM_DATA_HOME: join(own, 'data'),
    HELM_PLUGINS: join(own, 'plugins'),
    HELM_NO_PLUGINS: '1',
    HELM_DRIVER: 'secret',
    HELM_REGISTRY_CONFIG: options.registryConfig ?? join(own, 'registry.json'),
  }
}

function accessOf({ host, cluster }: HelmEnvironmentOptions): Record<string, string> {
  if (cluster === 'none') return { KUBECONFIG: devNull }
  if (cluster === 'in-cluster') return picked(host, (name) => IN_CLUSTER.some((one) => one === name))
  const context = cluster.kubeContext === undefined ? {} : { HELM_KUBECONTEXT: cluster.kubeContext }
  return { ...picked(host, (name) => CREDENTIAL_PLUGINS.test(name)), KUBECONFIG: cluster.kubeconfig, ...context }
}

function picked(
  host: Readonly<Record<string, string | undefined>>,
  isWanted: (name: string) => boolean,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(host).flatMap(([name, value]) => (value !== undefined && isWanted(name) ? [[name, value]] : [])),
  )
}
