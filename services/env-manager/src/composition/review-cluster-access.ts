import type { AccessReviewOptions } from '../adapters/kubernetes/review-access.js'
import type { ClusterAccessReport } from '../domain/cluster-permissions.js'

/** Asks the API server for each permission that the env-manager needs; a cluster's client, which is large, is loaded only then. */
export async function reviewClusterAccess(options: AccessReviewOptions): Promise<ClusterAccessReport> {
  const { reviewAccess } = await import('../adapters/kubernetes/review-access.js')
  return reviewAccess(options)
}
