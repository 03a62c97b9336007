import { isAppError } from '@tributary/kit'
import { failure } from '../../../errors.js'
import type { PlatformContext } from '../../../ports/platform.js'
import { RESOURCES, type KubeSecret } from '../api/kube-objects.js'
import type { KubernetesParts } from '../kubernetes-parts.js'
import { ANNOTATIONS, LABELS, labelsOf } from '../names.js'
import { findOwnNamespace } from '../own-namespace.js'
import { objectId, resourceKind } from '../resource-ids.js'
import { awaitNamespaceGone } from '../removal/await-namespace-gone.js'
import { waitAside } from '../removal/waiting.js'
import { namespaceObject, spaceObjects, type PlannedObject, type SpaceIdentity } from './space-objects.js'

/**
 * The namespace with its bounds, policies and copied secrets. Idempotent.
 * @throws AppError `NAMESPACE_FOREIGN` when somebody else made a namespace of the name, `PLATFORM_STUCK` (retryable) when an old one does not go,
 * `SECRET_UNAVAILABLE` when a secret that is to be copied is not there.
 */
export async function ensureSpace(
  parts: KubernetesParts,
  space: { readonly environment: string; readonly generation: number },
  context: PlatformContext,
): Promise<void> {
  const { environment } = space
  await awaitFormerGone(parts, environment, context)
  const namespace = parts.spaces.namespaceOf(environment)
  await context.record({ kind: 'namespace', id: namespace, environment })
  await claimNamespace(parts, space, context.signal)
  const identity = { instance: parts.instance, environment, namespace }
  const planned = [...spaceObjects(identity, parts.config), ...(await copiedSecrets(parts, identity, context.signal))]
  // Access first: an account of least privilege may do nothing in the namespace before.
  for (const one of planned.filter(isAccess)) await applyRecorded(parts, one, context)
  await Promise.all(planned.filter((one) => !isAccess(one)).map((one) => applyRecorded(parts, one, context)))
}

/** A namespace that somebody has deleted by hand, or an earlier generation's, may take a while to go. */
async function awaitFormerGone(parts: KubernetesParts, environment: string, context: PlatformContext): Promise<void> {
  const found = await findOwnNamespace(parts, environment, context.signal)
  if (found?.metadata.deletionTimestamp === undefined) return
  context.log(`the namespace ${found.metadata.name} is being deleted by the cluster; its end is waited for`)
  await waitAside(context, () => awaitNamespaceGone(parts, environment, context.signal))
}

/** Looks at a namespace that changed between look and claim so often, then leaves it to a later run. */
const MAX_CLAIMS = 3

/**
 * Makes the namespace ours or refuses, in one step with what was seen: what is not there is created by POST, which never takes over what somebody else made
 * in the meantime; what is there, and ours, is brought up to date as that very object in that very state. Whoever loses a race looks again.
 */
async function claimNamespace(
  parts: KubernetesParts,
  space: { readonly environment: string; readonly generation: number },
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await claimAsSeen(parts, space, signal)
    } catch (error) {
      // There is one now, or another one, or it was relabelled: whose it is decides what happens next.
      if (!isAppError(error, 'KUBERNETES_CONFLICT') || attempt === MAX_CLAIMS) throw error
    }
  }
}

async function claimAsSeen(
  parts: KubernetesParts,
  { environment, generation }: { readonly environment: string; readonly generation: number },
  signal: AbortSignal,
): Promise<void> {
  const namespace = parts.spaces.namespaceOf(environment)
  const wanted = namespaceObject({ instance: parts.instance, environment, namespace }, generation)
  const found = await findOwnNamespace(parts, environment, signal)
  if (found === undefined) return void (await parts.api.create(RESOURCES.namespace, wanted, signal))
  const { uid, resourceVersion, annotations } = found.metadata
  if (annotations?.[ANNOTATIONS.generation] === String(generation)) return
  const precondition = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  }
  await parts.api.apply(RESOURCES.namespace, { metadata: { ...wanted.metadata, ...precondition } }, signal)
}

async function copiedSecrets(
  { api, config }: KubernetesParts,
  identity: SpaceIdentity,
  signal: AbortSignal,
): Promise<readonly PlannedObject[]> {
  const names = new Set([...config.imagePullSecrets, ...config.copySecrets])
  return Promise.all(
    [...names].map(async (name) => {
      const source = await api.find<KubeSecret>(RESOURCES.secret, { namespace: config.systemNamespace, name }, signal)
      if (source === undefined) {
        throw failure(
          'SECRET_UNAVAILABLE',
          `The Secret ${name}, which the platform configuration wants copied, is not in the namespace ${config.systemNamespace}; create it there, or take it out of platform.kubernetes`,
        )
      }
      const labels = labelsOf(identity, { purpose: 'space' })
      const { type, data = {} } = source
      const metadata = { name, namespace: identity.namespace, labels }
      return { resource: RESOURCES.secret, object: { metadata, ...(type === undefined ? {} : { type }), data } }
    }),
  )
}

function isAccess({ resource }: PlannedObject): boolean {
  return resource.kind === 'RoleBinding'
}

/** Writes the ledger's line of an object of an environment's namespace, then applies it. */
export async function applyRecorded(
  { api }: Pick<KubernetesParts, 'api'>,
  { resource, object }: PlannedObject,
  context: PlatformContext,
): Promise<void> {
  const { name, namespace = '', labels } = object.metadata
  const environment = labels?.[LABELS.environment] ?? namespace
  await context.record({ kind: resourceKind(resource), id: objectId(namespace, name), environment })
  await api.apply(resource, object, context.signal)
}
