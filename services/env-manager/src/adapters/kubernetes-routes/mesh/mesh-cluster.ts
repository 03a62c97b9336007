import { failure } from '../../../errors.js'
import type { PlatformResource } from '../../../ports/platform.js'
import type { ClusterObjects, RouteObject, RouteResource } from '../cluster-objects.js'
import { findKind, isOptionalKind, kindOf, type OptionalKindName } from '../route-kinds.js'
import { ROUTE_LABELS } from '../route-objects.js'

/** The cluster as header routes see it. */
export interface MeshCluster {
  readonly api: ClusterObjects
  readonly instance: string
  /** The namespace of an environment. */
  readonly namespaceOf: (environment: string) => string
  readonly clusterDomain: string
}

/** An object of ours with what it is found by. */
export interface MeshObject {
  readonly resource: RouteResource
  readonly name: OptionalKindName
  readonly object: RouteObject
}

/** Value of the label `purpose` of all of them. */
const PURPOSE = 'mesh'

/** Host name of the Service of a service in an environment. */
export function serviceHostOf(
  { namespaceOf, clusterDomain }: MeshCluster,
  environment: string,
  service: string,
): string {
  return `${service}.${namespaceOf(environment)}.svc.${clusterDomain}`
}

/** Labels of an object that belongs to an environment. */
export function meshLabels({ instance }: MeshCluster, environment: string): Readonly<Record<string, string>> {
  return {
    [ROUTE_LABELS.managedBy]: 'tributary',
    [ROUTE_LABELS.instance]: instance,
    [ROUTE_LABELS.environment]: environment,
    [ROUTE_LABELS.purpose]: PURPOSE,
  }
}

/** The environment that an object of ours belongs to. */
export function environmentOf({ metadata }: RouteObject): string | undefined {
  return metadata.labels?.[ROUTE_LABELS.environment]
}

/** The ledger's line of an object. */
export function ledgerLineOf(name: OptionalKindName, { metadata }: RouteObject, environment: string): PlatformResource {
  return { kind: name, id: `${metadata.namespace ?? ''}/${metadata.name}`, environment }
}

/** The kind as the cluster has it. @throws AppError `ROUTES_NOT_POSSIBLE` */
export async function getKind(
  { api }: MeshCluster,
  name: OptionalKindName,
  signal: AbortSignal,
): Promise<RouteResource> {
  const found = await findKind(api, name, signal)
  if (found !== undefined) return found
  throw failure(
    'ROUTES_NOT_POSSIBLE',
    `platform.kubernetes.mesh: the cluster has no ${kindOf(name)}, so no header route can be made; install the mesh’s custom resources, or set mesh to none`,
  )
}

/**
 * All of a kind that this instance made for meshes, in one namespace or in all; none when the cluster does not have the kind. Listed and not read by name:
 * an account that has its rights by a RoleBinding in each namespace may read nothing in one that is gone.
 */
export async function listOwn(
  cluster: MeshCluster,
  name: OptionalKindName,
  { signal, namespace }: { readonly signal: AbortSignal; readonly namespace?: string },
): Promise<readonly MeshObject[]> {
  const resource = await findKind(cluster.api, name, signal)
  if (resource === undefined) return []
  const { managedBy, instance, purpose } = ROUTE_LABELS
  const labelSelector = `${managedBy}=tributary,${instance}=${cluster.instance},${purpose}=${PURPOSE}`
  const selection = { labelSelector, ...(namespace === undefined ? {} : { namespace }) }
  const { items } = await cluster.api.list(resource, selection, signal)
  return items.map((object) => ({ resource, name, object }))
}

/** The object of a name. @throws AppError `ROUTE_NAME_TAKEN` when it is somebody else's */
export async function findOwn(
  cluster: MeshCluster,
  resource: RouteResource,
  {
    ref,
    signal,
  }: { readonly ref: { readonly namespace: string; readonly name: string }; readonly signal: AbortSignal },
): Promise<RouteObject | undefined> {
  const found = await cluster.api.find(resource, ref, signal)
  if (found === undefined || isOwn(cluster, found)) return found
  throw failure(
    'ROUTE_NAME_TAKEN',
    `${resource.kind} ${ref.namespace}/${ref.name} was made by somebody else, so the mesh’s header route is not made; remove or rename it`,
  )
}

/** The object that a line of the ledger names, when it is there and ours. The line's kind must be one of a mesh. */
export async function findRecorded(
  cluster: MeshCluster,
  { kind, id }: PlatformResource,
  signal: AbortSignal,
): Promise<MeshObject | undefined> {
  const [namespace, name] = id.split('/')
  if (!isOptionalKind(kind) || namespace === undefined || name === undefined) return undefined
  const found = await listOwn(cluster, kind, { signal, namespace })
  return found.find(({ object }) => object.metadata.name === name)
}

/** Deletes this very object, not one that has its name by then. */
export async function deleteObject(
  { api }: MeshCluster,
  { resource, object }: Pick<MeshObject, 'resource' | 'object'>,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace = '', uid } = object.metadata
  await api.delete(resource, { namespace, name }, { signal, ...(uid === undefined ? {} : { uid }) })
}

function isOwn({ instance }: MeshCluster, { metadata: { labels = {} } }: RouteObject): boolean {
  return (
    labels[ROUTE_LABELS.managedBy] === 'tributary' &&
    labels[ROUTE_LABELS.instance] === instance &&
    labels[ROUTE_LABELS.purpose] === PURPOSE
  )
}
