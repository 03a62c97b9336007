import { isAppError } from '@tributary/kit'
import type { ClusterObjects, RouteResource } from './cluster-objects.js'

/** There in Kubernetes 1.19 and later. */
export const INGRESS: RouteResource = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  plural: 'ingresses',
}

/** A kind that a cluster may have or not, with the versions that are understood, newest first. */
interface OptionalKind {
  readonly group: string
  readonly versions: readonly string[]
  readonly kind: string
  readonly plural: string
}

const GATEWAY = { group: 'gateway.networking.k8s.io', versions: ['v1', 'v1beta1'] } as const

/** Kinds by the ledger's words for them. */
const OPTIONAL_KINDS = {
  httproute: { ...GATEWAY, kind: 'HTTPRoute', plural: 'httproutes' },
  referencegrant: { ...GATEWAY, kind: 'ReferenceGrant', plural: 'referencegrants' },
  virtualservice: {
    group: 'networking.istio.io',
    versions: ['v1', 'v1beta1', 'v1alpha3'],
    kind: 'VirtualService',
    plural: 'virtualservices',
  },
} as const satisfies Readonly<Record<string, OptionalKind>>

/** The ledger's word for a kind that a cluster may have or not. */
export type OptionalKindName = keyof typeof OPTIONAL_KINDS

interface ApiGroup {
  readonly versions?: readonly { readonly version?: string }[]
}

interface ApiResources {
  readonly resources?: readonly { readonly name?: string }[]
}

/** True for a word of the ledger that names such a kind. */
export function isOptionalKind(name: string): name is OptionalKindName {
  return Object.hasOwn(OPTIONAL_KINDS, name)
}

/** The kind as the API calls it, whether the cluster has it or not. */
export function kindOf(name: OptionalKindName): string {
  return OPTIONAL_KINDS[name].kind
}

/** The kind in the newest version that the cluster has of it; undefined when it has none. */
export async function findKind(
  api: Pick<ClusterObjects, 'read'>,
  name: OptionalKindName,
  signal: AbortSignal,
): Promise<RouteResource | undefined> {
  const { group, versions, kind, plural }: OptionalKind = OPTIONAL_KINDS[name]
  const found = await readIfThere<ApiGroup>(api, `/apis/${group}`, signal)
  const served = new Set(found?.versions?.map(({ version }) => version))
  for (const version of versions.filter((each) => served.has(each))) {
    const list = await readIfThere<ApiResources>(api, `/apis/${group}/${version}`, signal)
    if (list?.resources?.some((resource) => resource.name === plural) === true)
      return { apiVersion: `${group}/${version}`, kind, plural }
  }
  return undefined
}

async function readIfThere<T>(
  api: Pick<ClusterObjects, 'read'>,
  path: string,
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return await api.read<T>(path, signal)
  } catch (error) {
    if (isAppError(error, 'KUBERNETES_NOT_FOUND')) return undefined
    throw error
  }
}
