import { isAppError } from '@tributary/kit'
import type { KubeApi } from '../api/kube-api.js'
import type { KubeNamespace, KubeObject, Resource } from '../api/kube-objects.js'

/** An object that its finalizers keep. */
export interface HeldObject {
  readonly resource: Resource
  readonly name: string
  readonly finalizers: readonly string[]
  /** Field managers that wrote the finalizers, as far as the object tells. */
  readonly holders: readonly string[]
  readonly uid?: string
  /** Its deletion was asked for: only the finalizers keep it. */
  readonly isEnding?: boolean
}

/** The namespace's own words about what it waits for. Pure; empty when it says nothing. */
export function describeTermination({ status }: KubeNamespace): string {
  const conditions = status?.conditions?.filter(
    ({ status: value, type }) => value === 'True' && type.startsWith('Namespace'),
  )
  return (conditions ?? [])
    .map(({ message }) => message ?? '')
    .filter((text) => text !== '')
    .join(' ')
}

/** Collections that the namespace's conditions name as not empty, e.g. `configmaps.` or `widgets.example.com`. Pure. */
export function remainingCollections({
  status,
}: KubeNamespace): readonly { readonly plural: string; readonly group: string }[] {
  const condition = status?.conditions?.find(
    ({ type, status: value }) => type === 'NamespaceContentRemaining' && value === 'True',
  )
  const names = (condition?.message ?? '').matchAll(/([a-z0-9]+)\.([a-z0-9.-]*) has \d+ resource/g)
  return [...names].map(([, plural = '', group = '']) => ({ plural, group }))
}

/** Objects that still stand in a namespace which is going, with what holds them. Kinds that may not be read are left out. */
export async function findHeldObjects(
  api: KubeApi,
  namespace: KubeNamespace,
  signal: AbortSignal,
): Promise<readonly HeldObject[]> {
  const held: HeldObject[] = []
  for (const collection of remainingCollections(namespace)) {
    const resource = await discover(api, collection, signal)
    if (resource !== undefined)
      held.push(...(await heldIn(api, { resource, namespace: namespace.metadata.name }, signal)))
  }
  return held
}

/** One line about what holds the objects. Pure. */
export function describeHeld(held: readonly HeldObject[]): string {
  return held
    .map(({ resource, name, finalizers, holders }) => {
      const by = holders.length === 0 ? '' : `, set by ${holders.join(', ')}`
      return `${resource.kind} ${name} is held by the finalizer ${finalizers.join(', ')}${by}`
    })
    .join('; ')
}

interface ResourceList {
  readonly resources?: readonly { readonly name: string; readonly kind: string }[]
}

/** The collection's preferred version and kind; undefined when there is none, or nobody may know. */
export async function discover(
  api: KubeApi,
  { plural, group }: { readonly plural: string; readonly group: string },
  signal: AbortSignal,
): Promise<Resource | undefined> {
  try {
    const apiVersion = group === '' ? 'v1' : await preferredVersion(api, group, signal)
    const root = group === '' ? '/api/v1' : `/apis/${apiVersion}`
    const { resources = [] } = await api.read<ResourceList>(root, signal)
    const found = resources.find(({ name }) => name === plural)
    return found === undefined ? undefined : { apiVersion, kind: found.kind, plural }
  } catch (error) {
    if (isAppError(error, 'KUBERNETES_NOT_FOUND') || isAppError(error, 'KUBERNETES_FORBIDDEN')) return undefined
    throw error
  }
}

async function preferredVersion(api: KubeApi, group: string, signal: AbortSignal): Promise<string> {
  const found = await api.read<{ readonly preferredVersion: { readonly groupVersion: string } }>(
    `/apis/${group}`,
    signal,
  )
  return found.preferredVersion.groupVersion
}

interface ManagedObject extends KubeObject {
  readonly metadata: KubeObject['metadata'] & {
    readonly managedFields?: readonly { readonly manager?: string; readonly fieldsV1?: unknown }[]
  }
}

/** Objects of a collection with finalizers; none when they may not be read. */
export async function heldIn(
  api: KubeApi,
  { resource, namespace }: { readonly resource: Resource; readonly namespace: string },
  signal: AbortSignal,
): Promise<readonly HeldObject[]> {
  try {
    const { items } = await api.list<ManagedObject>(resource, { namespace }, signal)
    return items
      .filter(({ metadata }) => (metadata.finalizers?.length ?? 0) > 0)
      .map(({ metadata }) => ({
        resource,
        name: metadata.name,
        finalizers: metadata.finalizers ?? [],
        holders: holdersOf(metadata),
        ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
        isEnding: metadata.deletionTimestamp !== undefined,
      }))
  } catch (error) {
    if (isAppError(error, 'KUBERNETES_FORBIDDEN')) return []
    throw error
  }
}

function holdersOf({ managedFields = [] }: ManagedObject['metadata']): readonly string[] {
  return managedFields
    .filter(({ fieldsV1 }) => JSON.stringify(fieldsV1 ?? {}).includes('"f:finalizers"'))
    .flatMap(({ manager }) => manager ?? [])
}
