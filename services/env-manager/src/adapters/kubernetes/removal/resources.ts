import PQueue from 'p-queue'
import type { PlatformContext, PlatformResource } from '../../../ports/platform.js'
import { RESOURCES, type KubeNamespace, type KubeObject, type KubeSecret, type Resource } from '../api/kube-objects.js'
import type { KubernetesParts } from '../kubernetes-parts.js'
import { LABELS, MANAGED_BY, type Spaces } from '../names.js'
import { scannedKinds, objectId, parseResource, resourceKind, type ResourceAddress } from '../resource-ids.js'
import { isOwn } from '../own-namespace.js'
import { removeSpace } from './remove-space.js'

const PARALLEL = 8

/** What was seen when a thing was looked for. */
export interface Sighting {
  readonly gone: boolean
  readonly evidence: string
}

/**
 * Everything in the cluster that bears this instance's label. Secrets are looked for in our own namespaces only: the manager may read no others.
 * Helm's own records stand for their releases.
 */
export async function listResources(parts: KubernetesParts, signal: AbortSignal): Promise<readonly PlatformResource[]> {
  const { api, instance } = parts
  const labelSelector = `${LABELS.instance}=${instance}`
  const { items } = await api.list<KubeNamespace>(RESOURCES.namespace, { labelSelector }, signal)
  const namespaces = items.filter((namespace) => isOwn(parts, namespace)).map(({ metadata }) => metadata.name)
  const environmentOf = (namespace: string): string => parts.spaces.environmentOf(namespace) ?? namespace
  const queue = new PQueue({ concurrency: PARALLEL })
  const kinds = scannedKinds().filter((resource) => resource !== RESOURCES.secret)
  const found = await Promise.all([
    ...kinds.map((resource) => queue.add(() => listKind(parts, { resource, labelSelector }, signal))),
    ...namespaces.map((namespace) => queue.add(() => listSecrets(parts, { namespace, labelSelector }, signal))),
  ])
  return [
    ...namespaces.map((name) => ({ kind: 'namespace', id: name, environment: environmentOf(name) })),
    ...found.flat(),
  ]
}

/** Removes one thing. @throws AppError `PLATFORM_RESOURCE_FOREIGN`, `PLATFORM_STUCK` */
export async function removeResource(
  parts: KubernetesParts,
  resource: PlatformResource,
  context: PlatformContext,
): Promise<void> {
  const address = parseResource(resource, parts.spaces)
  if (address.kind === 'namespace') return removeSpace(parts, resource.environment, context)
  if (!(await isOurs(parts, address, context.signal))) return
  if (address.kind === 'release')
    return parts.charts.uninstall({ kubeNamespace: address.namespace, name: address.name }, context)
  await parts.api.delete(address.resource, address, { signal: context.signal })
}

/** Looks at the API server, now. @throws AppError `PLATFORM_RESOURCE_FOREIGN` */
export async function verifyGone(
  parts: KubernetesParts,
  resource: PlatformResource,
  signal: AbortSignal,
): Promise<Sighting> {
  const address = parseResource(resource, parts.spaces)
  if (address.kind === 'namespace') return verifyNamespaceGone(parts, address.name, signal)
  // An account that has its rights by a RoleBinding in each namespace may not look into one that is gone; and nothing can be in it.
  const around = await verifyNamespaceGone(parts, address.namespace, signal)
  if (around.gone) return around
  if (address.kind === 'release') return verifyReleaseGone(parts, address, signal)
  const { resource: collection, namespace, name } = address
  const found = await parts.api.find<KubeObject>(collection, { namespace, name }, signal)
  const what = `${collection.kind} ${name} in ${namespace}`
  if (found === undefined) return { gone: true, evidence: `the API server has no ${what}` }
  if (!bearsOurLabel(parts, found)) return { gone: true, evidence: `${what} is somebody else’s; ours is gone` }
  return { gone: false, evidence: `the API server still has ${what}` }
}

async function verifyNamespaceGone(parts: KubernetesParts, name: string, signal: AbortSignal): Promise<Sighting> {
  const found = await parts.api.find<KubeNamespace>(RESOURCES.namespace, { name }, signal)
  if (found === undefined) return { gone: true, evidence: `the API server has no namespace ${name}` }
  if (!isOwn(parts, found)) return { gone: true, evidence: `the namespace ${name} is somebody else’s; ours is gone` }
  const phase = found.status?.phase ?? 'there'
  return { gone: false, evidence: `the API server still has the namespace ${name} (${phase})` }
}

/** Helm's records and the Deployments of the service that the release ran. */
async function verifyReleaseGone(
  { api }: KubernetesParts,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<Sighting> {
  const records = await api.list<KubeSecret>(
    RESOURCES.secret,
    { namespace, labelSelector: `owner=helm,name=${name}` },
    signal,
  )
  const deployment = await api.find<KubeObject>(RESOURCES.deployment, { namespace, name }, signal)
  const left = [
    ...(records.items.length > 0 ? [`${records.items.length} records of helm`] : []),
    ...(deployment === undefined ? [] : ['its Deployment']),
  ]
  if (left.length > 0)
    return { gone: false, evidence: `of the release ${name} in ${namespace} there are still ${left.join(' and ')}` }
  return { gone: true, evidence: `no record of helm and no Deployment of the release ${name} in ${namespace}` }
}

async function listKind(
  { api, spaces }: KubernetesParts,
  { resource, labelSelector }: { readonly resource: Resource; readonly labelSelector: string },
  signal: AbortSignal,
): Promise<readonly PlatformResource[]> {
  const { items } = await api.list<KubeObject>(resource, { labelSelector }, signal)
  return items.filter(isMadeHere).map((object) => toResource(spaces, resourceKind(resource), object))
}

async function listSecrets(
  { api, spaces }: KubernetesParts,
  { namespace, labelSelector }: { readonly namespace: string; readonly labelSelector: string },
  signal: AbortSignal,
): Promise<readonly PlatformResource[]> {
  const { items } = await api.list<KubeSecret>(RESOURCES.secret, { namespace, labelSelector }, signal)
  const releases = new Set(items.flatMap(({ metadata }) => releaseOf(metadata.labels) ?? []))
  const secrets = items.filter(isMadeHere)
  return [
    ...secrets.map((secret) => toResource(spaces, 'secret', secret)),
    ...[...releases].map((name) => ({
      kind: 'release',
      id: objectId(namespace, name),
      environment: spaces.environmentOf(namespace) ?? namespace,
    })),
  ]
}

/** Helm labels its records `owner=helm` and with the release's name. */
function releaseOf(labels: Readonly<Record<string, string>> = {}): string | undefined {
  return labels['owner'] === 'helm' ? labels['name'] : undefined
}

/** Objects of charts bear our labels too; their release stands for them. */
function isMadeHere({ metadata }: KubeObject): boolean {
  return metadata.labels?.[LABELS.managedBy] === MANAGED_BY
}

function toResource(spaces: Spaces, kind: string, { metadata }: KubeObject): PlatformResource {
  const namespace = metadata.namespace ?? ''
  return { kind, id: objectId(namespace, metadata.name), environment: spaces.environmentOf(namespace) ?? namespace }
}

async function isOurs(
  parts: KubernetesParts,
  address: Exclude<ResourceAddress, { kind: 'namespace' }>,
  signal: AbortSignal,
): Promise<boolean> {
  const namespace = await parts.api.find<KubeNamespace>(RESOURCES.namespace, { name: address.namespace }, signal)
  if (namespace === undefined || !isOwn(parts, namespace)) return false
  if (address.kind === 'release') return true
  const found = await parts.api.find<KubeObject>(address.resource, address, signal)
  return found !== undefined && bearsOurLabel(parts, found)
}

function bearsOurLabel({ instance }: KubernetesParts, { metadata }: KubeObject): boolean {
  return metadata.labels?.[LABELS.instance] === instance
}
