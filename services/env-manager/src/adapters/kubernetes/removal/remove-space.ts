import type { PlatformContext, ReleasedObject } from '../../../ports/platform.js'
import { RESOURCES, type KubeNamespace } from '../api/kube-objects.js'
import type { KubernetesParts } from '../kubernetes-parts.js'
import { findOwnNamespace, isOwn } from '../own-namespace.js'
import { awaitNamespaceGone } from './await-namespace-gone.js'
import { deleteHeldContent, findHeldContent } from './held-content.js'
import { findHeldObjects, type HeldObject } from './stuck-namespace.js'
import { waitAside } from './waiting.js'

/**
 * Uninstalls every release of the namespace, so that what their charts made outside of it goes too, then deletes the namespace and waits until
 * it is gone. A namespace that is not ours is left alone.
 * @throws AppError `PLATFORM_STUCK` (retryable) when it is still there after a while; the message names what holds it, and who.
 */
export async function removeSpace(
  parts: KubernetesParts,
  environment: string,
  context: PlatformContext,
): Promise<void> {
  const { signal } = context
  const name = parts.spaces.namespaceOf(environment)
  const namespace = await parts.api.find<KubeNamespace>(RESOURCES.namespace, { name }, signal)
  if (namespace === undefined) return
  if (!isOwn(parts, namespace)) {
    context.log(`the namespace ${name} was made by somebody else: it is left alone`)
    return
  }
  const isEnding = namespace.metadata.deletionTimestamp !== undefined
  if (!isEnding) await uninstallAll(parts, name, context)
  await waitAside(context, async () => {
    if (!isEnding) await endNamespace(parts, { namespace, environment }, signal)
    await awaitNamespaceGone(parts, environment, signal)
  })
}

async function endNamespace(
  parts: KubernetesParts,
  { namespace, environment }: { readonly namespace: KubeNamespace; readonly environment: string },
  signal: AbortSignal,
): Promise<void> {
  // A namespace that still has pods is looked at again by the cluster only after their whole grace period.
  const hasNoPods = (): boolean => !parts.book.hasPods(environment)
  await parts.book.until(hasNoPods, { signal, timeoutMs: parts.removalPatienceMs })
  if (hangsOnNamespace(parts)) await deleteHeldContent(parts, environment, signal)
  const { name, uid } = namespace.metadata
  await parts.api.delete(RESOURCES.namespace, { name }, { signal, ...(uid === undefined ? {} : { uid }) })
}

/**
 * Takes the finalizers off everything that holds a namespace of ours which is being deleted, or is being emptied before: what they were to clean up elsewhere
 * may stay behind. Nothing happens to what nobody deletes.
 */
export async function releaseFinalizers(
  parts: KubernetesParts,
  environment: string,
  { signal, log }: Pick<PlatformContext, 'signal' | 'log'>,
): Promise<readonly ReleasedObject[]> {
  const namespace = await findOwnNamespace(parts, environment, signal)
  if (namespace === undefined) return []
  const held = await findEnding(parts, namespace, signal)
  for (const { resource, name, finalizers } of held) {
    const patch = { metadata: { finalizers: null } }
    await parts.api.mergePatch(resource, { namespace: namespace.metadata.name, name }, { patch, signal })
    log(`took the finalizers ${finalizers.join(', ')} off ${resource.kind} ${name} in ${namespace.metadata.name}`)
  }
  return held.map(({ resource, name, finalizers }) => ({
    object: `${resource.kind} ${namespace.metadata.name}/${name}`,
    finalizers,
  }))
}

/** Whether the manager's rights in a namespace are given by an object in it, and go with it. */
function hangsOnNamespace({ config }: KubernetesParts): boolean {
  return config.access !== undefined
}

async function findEnding(
  parts: KubernetesParts,
  namespace: KubeNamespace,
  signal: AbortSignal,
): Promise<readonly HeldObject[]> {
  if (namespace.metadata.deletionTimestamp !== undefined) return findHeldObjects(parts.api, namespace, signal)
  if (!hangsOnNamespace(parts)) return []
  const held = await findHeldContent(parts.api, namespace.metadata.name, signal)
  return held.filter(({ isEnding }) => isEnding === true)
}

async function uninstallAll(
  { charts }: KubernetesParts,
  kubeNamespace: string,
  context: PlatformContext,
): Promise<void> {
  for (const { name } of await charts.list(kubeNamespace, context)) {
    context.log(`uninstalling the helm release ${name} in ${kubeNamespace}`)
    await charts.uninstall({ kubeNamespace, name }, context)
  }
}
