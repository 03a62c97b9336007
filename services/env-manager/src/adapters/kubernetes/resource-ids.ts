import { failure } from '../../errors.js'
import type { PlatformResource } from '../../ports/platform.js'
import { RESOURCES, type Resource } from './api/kube-objects.js'
import type { Spaces } from './names.js'

/**
 * Kinds of the ledger. The namespace's id is its name; every other id is `<namespace>/<name>`.
 * `release` is a Helm release, which stands for all that its chart made.
 */
const KINDS: ReadonlyMap<string, Resource> = new Map(
  [
    RESOURCES.namespace,
    RESOURCES.secret,
    RESOURCES.service,
    RESOURCES.resourceQuota,
    RESOURCES.limitRange,
    RESOURCES.networkPolicy,
    RESOURCES.endpoints,
    RESOURCES.roleBinding,
  ].map((resource) => [resourceKind(resource), resource]),
)

/** Where a thing of the ledger is to be found. */
export type ResourceAddress =
  | { readonly kind: 'namespace'; readonly name: string }
  | { readonly kind: 'release'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'object'; readonly resource: Resource; readonly namespace: string; readonly name: string }

/** The ledger's word for a collection, e.g. `networkpolicy`. */
export function resourceKind({ kind }: Resource): string {
  return kind.toLowerCase()
}

/** The ledger's id of an object in a namespace. */
export function objectId(namespace: string, name: string): string {
  return `${namespace}/${name}`
}

/**
 * Kinds in namespaces that the orphan scan lists. Not Endpoints: the cluster makes some with the labels of their Service, and ours go with theirs too.
 */
export function scannedKinds(): readonly Resource[] {
  const others: readonly Resource[] = [RESOURCES.namespace, RESOURCES.endpoints]
  return [...KINDS.values()].filter((resource) => !others.includes(resource))
}

/**
 * Reads a ledger line. Ids come from the ledger, but a wrong one must not make us touch what is not ours: they have to lie in the environment's
 * own namespace.
 * @throws AppError `PLATFORM_RESOURCE_FOREIGN`
 */
export function parseResource({ kind, id, environment }: PlatformResource, spaces: Spaces): ResourceAddress {
  const own = spaces.namespaceOf(environment)
  const resource = KINDS.get(kind)
  const [namespace, name, more] = id.split('/')
  if (kind === 'namespace' && id === own && isName(id)) return { kind: 'namespace', name: id }
  const isInside = namespace === own && name !== undefined && more === undefined && isName(name)
  if (isInside && kind === 'release') return { kind: 'release', namespace, name }
  if (isInside && resource !== undefined && resource !== RESOURCES.namespace)
    return { kind: 'object', resource, namespace, name }
  throw failure(
    'PLATFORM_RESOURCE_FOREIGN',
    `${kind} ${JSON.stringify(id)} is nothing that this installation made for ${environment}; it is left alone`,
  )
}

function isName(text: string): boolean {
  return /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(text)
}
