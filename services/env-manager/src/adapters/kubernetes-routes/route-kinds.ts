import { isAppError } from '@tributary/kit'
import type { ClusterObjects, RouteResource } from './cluster-objects.js'

/** There in Kubernetes 1.19 and later. */
export const INGRESS: RouteResource = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  plural: 'ingresses',
}

const GATEWAY_GROUP = 'gateway.networking.k8s.io'
/** Newest first. */
const GATEWAY_VERSIONS = ['v1', 'v1beta1']

interface ApiGroup {
  readonly versions?: readonly { readonly version?: string }[]
}

interface ApiResources {
  readonly resources?: readonly { readonly name?: string }[]
}

/** HTTPRoute as the cluster has it; undefined when it does not. */
export async function findHttpRoute(api: ClusterObjects, signal: AbortSignal): Promise<RouteResource | undefined> {
  const group = await readIfThere<ApiGroup>(api, `/apis/${GATEWAY_GROUP}`, signal)
  const served = new Set(group?.versions?.map(({ version }) => version))
  for (const version of GATEWAY_VERSIONS.filter((each) => served.has(each))) {
    const found = await readIfThere<ApiResources>(api, `/apis/${GATEWAY_GROUP}/${version}`, signal)
    if (found?.resources?.some(({ name }) => name === 'httproutes') === true) {
      return { apiVersion: `${GATEWAY_GROUP}/${version}`, kind: 'HTTPRoute', plural: 'httproutes' }
    }
  }
  return undefined
}

async function readIfThere<T>(api: ClusterObjects, path: string, signal: AbortSignal): Promise<T | undefined> {
  try {
    return await api.read<T>(path, signal)
  } catch (error) {
    if (isAppError(error, 'KUBERNETES_NOT_FOUND')) return undefined
    throw error
  }
}
