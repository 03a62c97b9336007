import type { AccessReviewOptions } from '../adapters/kubernetes/review-access.js'
import type { ClusterAccessReport } from '../domain/cluster-permissions.js'

/** Somebody waits for the answer. */
const PATIENCE_MS = 5_000

/**
 * Asks the API server for each permission that the env-manager needs, and for what the configured mesh is made of; a cluster's client, which is large, is
 * loaded only then.
 */
export async function reviewClusterAccess(options: AccessReviewOptions): Promise<ClusterAccessReport> {
  const { reviewAccess } = await import('../adapters/kubernetes/review-access.js')
  return { ...(await reviewAccess(options)), mesh: await reviewConfiguredMesh(options) }
}

async function reviewConfiguredMesh({ config, signal }: AccessReviewOptions): Promise<ClusterAccessReport['mesh']> {
  const { mesh } = config
  if (mesh === undefined || mesh === 'none') return null
  const { openCluster } = await import('../adapters/kubernetes/index.js')
  const { reviewMesh } = await import('../adapters/kubernetes-routes/index.js')
  const cluster = openCluster(config, { patienceMs: PATIENCE_MS })
  try {
    return await reviewMesh(cluster.api, mesh, signal)
  } finally {
    cluster.close()
  }
}
