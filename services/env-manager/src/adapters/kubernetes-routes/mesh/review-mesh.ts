import type { ClusterAccessReport } from '../../../domain/cluster-permissions.js'
import type { ClusterObjects } from '../cluster-objects.js'
import { findKind, kindOf, type OptionalKindName } from '../route-kinds.js'

const NEEDED: Readonly<Record<'gamma' | 'istio', readonly OptionalKindName[]>> = {
  gamma: ['httproute', 'referencegrant'],
  istio: ['virtualservice'],
}

/** Whether the cluster has the kinds that header routes of a mesh are made of. */
export async function reviewMesh(
  api: Pick<ClusterObjects, 'read'>,
  kind: 'gamma' | 'istio',
  signal: AbortSignal,
): Promise<NonNullable<ClusterAccessReport['mesh']>> {
  const missing: string[] = []
  for (const name of NEEDED[kind]) if ((await findKind(api, name, signal)) === undefined) missing.push(kindOf(name))
  return { kind, needed: NEEDED[kind].map(kindOf), missing }
}
