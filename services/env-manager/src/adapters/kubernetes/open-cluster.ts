import { systemClock, type Clock } from '@tributary/kit'
import { KubeApi } from './api/kube-api.js'
import { loadCredentials, type CredentialChoice } from './api/kube-credentials.js'
import { KubeTransport } from './api/kube-transport.js'

/** A cluster that can be talked to. */
export interface Cluster {
  readonly api: KubeApi
  /** Origin of the API server. */
  readonly server: string
  /** This process runs in the cluster. */
  readonly isInside: boolean
  /** Closes idle connections. */
  close(): void
}

/** Bounds that only tests change. */
export interface ClusterOptions {
  readonly clock?: Clock
  /** How long requests are tried again while the API server does not answer. Default 45,000. */
  readonly patienceMs?: number
}

/**
 * Reads the credentials; asks nothing of the cluster.
 * @throws AppError `CONFIG_INVALID`
 */
export function openCluster(choice: CredentialChoice, options: ClusterOptions = {}): Cluster {
  const credentials = loadCredentials(choice)
  const transport = new KubeTransport(credentials)
  const { clock = systemClock, ...patience } = options
  const api = new KubeApi({ transport, clock, ...patience })
  return { api, server: credentials.server.origin, isInside: credentials.isInside, close: () => transport.close() }
}
