import { isAppError } from '@tributary/kit'
import type { PlatformContext } from '../../../ports/platform.js'
import { RESOURCES, type KubeObject, type Resource } from '../api/kube-objects.js'
import type { KubernetesParts } from '../kubernetes-parts.js'

const SLICES: Resource = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', plural: 'endpointslices' }
/** What Kubernetes before 1.21 has. */
const EARLY_SLICES: Resource = { ...SLICES, apiVersion: 'discovery.k8s.io/v1beta1' }

/**
 * Removes the addresses that the cluster remembers for the name of a service. Call it while its Service selects no pods; idempotent.
 *
 * A Service that loses its selector keeps its Endpoints and EndpointSlices, and the former are mirrored into slices of their own, which stay when it gets a
 * selector again (kubernetes/kubernetes#105987, #118376). Nodes then send a part of all connections to pods that are gone, or to whoever has their address by now.
 * Without the right to remove slices it is logged: a cluster from 1.23 on removes the mirrored ones by itself.
 */
export async function forgetAddresses(
  parts: Pick<KubernetesParts, 'api'>,
  { namespace, service }: { readonly namespace: string; readonly service: string },
  { signal, log }: Pick<PlatformContext, 'signal' | 'log'>,
): Promise<void> {
  // First: slices are mirrored from it.
  await parts.api.delete(RESOURCES.endpoints, { namespace, name: service }, { signal })
  try {
    await removeSlices(parts, { namespace, labelSelector: `kubernetes.io/service-name=${service}` }, signal)
  } catch (error) {
    if (!isAppError(error, 'KUBERNETES_FORBIDDEN')) throw error
    log(`addresses that ${service} had before may be used yet: ${error.message}`)
  }
}

async function removeSlices(
  { api }: Pick<KubernetesParts, 'api'>,
  selection: { readonly namespace: string; readonly labelSelector: string },
  signal: AbortSignal,
): Promise<void> {
  const remove = async (slices: Resource): Promise<void> => {
    const { items } = await api.list<KubeObject>(slices, selection, signal)
    const { namespace } = selection
    for (const { metadata } of items) await api.delete(slices, { namespace, name: metadata.name }, { signal })
  }
  try {
    await remove(SLICES)
  } catch (error) {
    if (!isAppError(error, 'KUBERNETES_NOT_FOUND')) throw error
    await remove(EARLY_SLICES)
  }
}
