import type { OutgoingHttpHeaders } from 'node:http'
import type { RequestOptions } from 'node:https'
import { KubeConfig } from '@kubernetes/client-node'
import { failure } from '../../../errors.js'

/** Options of one request, with its headers by name. */
export type CredentialOptions = Omit<RequestOptions, 'headers'> & { headers?: OutgoingHttpHeaders }

/** Where a cluster is, and how requests prove themselves to it. */
export interface KubeCredentials {
  readonly server: URL
  /** They are those of a pod: this process runs in the cluster. */
  readonly isInside: boolean
  /** TLS, agent and `Authorization` for one request: tokens of files and of exec plugins are read anew when they have changed. */
  requestOptions(): Promise<CredentialOptions>
}

/** What the client calls the cluster that it found by the pod’s own ServiceAccount. */
const IN_CLUSTER = 'inCluster'

/** Which credentials to take. */
export interface CredentialChoice {
  /** Path of a kubeconfig. Default: the pod's own ServiceAccount when the process runs in a pod, else `KUBECONFIG`, else `~/.kube/config`. */
  readonly kubeconfig?: string
  /** Context of the kubeconfig. Default: its current one. */
  readonly context?: string
}

/**
 * Reads credentials. This module is the one that loads @kubernetes/client-node (0.8 s and 120 MB): import it only when the platform is chosen.
 * @throws AppError `CONFIG_INVALID` when there is no usable kubeconfig, context or cluster.
 */
export function loadCredentials(choice: CredentialChoice): KubeCredentials {
  const config = new KubeConfig()
  const what = choice.kubeconfig ?? 'the default kubeconfig'
  try {
    if (choice.kubeconfig === undefined) config.loadFromDefault()
    else config.loadFromFile(choice.kubeconfig)
    if (choice.context !== undefined) config.setCurrentContext(choice.context)
  } catch (cause) {
    throw failure('CONFIG_INVALID', `Reading ${what} failed; name a readable file in platform.kubernetes.kubeconfig`, {
      cause,
    })
  }
  const cluster = config.getCurrentCluster()
  if (cluster === null || config.getCurrentUser() === null) {
    const contexts = config.getContexts().map(({ name }) => name)
    throw failure(
      'CONFIG_INVALID',
      `${what} has no cluster and user for the context "${config.getCurrentContext()}"; it has the contexts: ${contexts.join(', ') || 'none'}`,
    )
  }
  const isInside = cluster.name === IN_CLUSTER
  return { server: new URL(cluster.server), isInside, requestOptions: () => requestOptionsOf(config) }
}

async function requestOptionsOf(config: KubeConfig): Promise<CredentialOptions> {
  const options: CredentialOptions = {}
  await config.applyToHTTPSOptions(options)
  // Made for this one request, it would keep no connection. Proxies need theirs.
  const isProxied = config.getCurrentCluster()?.proxyUrl !== undefined
  if (!isProxied) delete options.agent
  return options
}
