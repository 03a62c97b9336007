import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createHelmChartReleases, type ClusterAccess } from '../adapters/helm/index.js'
import { createKubernetesPlatform, openCluster } from '../adapters/kubernetes/index.js'
import { createKubernetesRoutes, createMeshRoutes } from '../adapters/kubernetes-routes/index.js'
import type { KubernetesConfig } from '../domain/kubernetes-config.js'
import type { ComposedPlatform, PlatformInputs } from './compose-platform.js'

/** Beside the services' folders, from `src` as from `dist`. */
const BUNDLED_CHART = fileURLToPath(new URL('../../../../charts/service', import.meta.url))

/** A cluster, with routes to the gateway as the configuration says. */
export async function composeKubernetes(
  { config, dataDirectory, sourceControl, host, onError }: PlatformInputs,
  kubernetes: KubernetesConfig,
): Promise<ComposedPlatform> {
  const { instance } = config
  const { systemNamespace } = kubernetes
  const cluster = openCluster(kubernetes)
  const home = join(dataDirectory, 'helm')
  const charts = createHelmChartReleases({ host, home, cluster: accessOf(kubernetes, host) })
  const made = { instance, config: kubernetes, cluster, charts, sourceControl, dataDirectory }
  const reservedUrls = config.signIn.publicUrl === null ? [] : [config.signIn.publicUrl]
  const platform = createKubernetesPlatform({
    ...made,
    bundledChart: BUNDLED_CHART,
    reservedUrls,
    onWatchError: onError,
  })
  const routes = createKubernetesRoutes({ api: cluster.api, instance, systemNamespace, config: kubernetes.routes })
  const meshRoutes = createMeshRoutes({
    kind: kubernetes.mesh ?? 'none',
    api: cluster.api,
    instance,
    clusterDomain: kubernetes.clusterDomain,
    namespaceOf: (environment) => `${kubernetes.namespacePrefix}${environment}`,
  })
  return { platform, routes, meshRoutes, close: async () => cluster.close() }
}

/** Helm reaches the cluster as the platform does: by the same kubeconfig, or as the pod. */
function accessOf({ kubeconfig, context }: KubernetesConfig, host: PlatformInputs['host']): ClusterAccess {
  const file = kubeconfig ?? (host['KUBERNETES_SERVICE_HOST'] === undefined ? kubeconfigOf(host) : undefined)
  if (file === undefined) return 'in-cluster'
  return { kubeconfig: file, ...(context === undefined ? {} : { kubeContext: context }) }
}

function kubeconfigOf(host: PlatformInputs['host']): string {
  return host['KUBECONFIG'] ?? join(host['HOME'] ?? '/', '.kube', 'config')
}
