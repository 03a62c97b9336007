import { failure } from '../../../errors.js'
import { RESOURCES, type KubeNamespace } from '../api/kube-objects.js'
import type { KubernetesParts } from '../kubernetes-parts.js'
import { isOwn } from '../own-namespace.js'
import { describeHeld, describeTermination, findHeldObjects } from './stuck-namespace.js'
import { lookAgainMs } from './waiting.js'

/**
 * Waits until the environment's namespace, which is being deleted, is gone.
 * @throws AppError `PLATFORM_STUCK` (retryable) when it is still there after a while; the message names what holds it, and who. `PLATFORM_CANCELED`
 */
export async function awaitNamespaceGone(
  parts: KubernetesParts,
  environment: string,
  signal: AbortSignal,
): Promise<void> {
  const { api, clock, spaces, removalPatienceMs } = parts
  const begun = clock.monotonicMs()
  for (;;) {
    const found = await api.find<KubeNamespace>(RESOURCES.namespace, { name: spaces.namespaceOf(environment) }, signal)
    if (found?.metadata.deletionTimestamp === undefined || !isOwn(parts, found)) return
    const waitedMs = clock.monotonicMs() - begun
    if (waitedMs > removalPatienceMs) throw await stuck(parts, { namespace: found, environment }, signal)
    await clock.sleep(lookAgainMs(waitedMs), signal).catch(() => undefined)
  }
}

async function stuck(
  { api, removalPatienceMs }: KubernetesParts,
  { namespace, environment }: { readonly namespace: KubeNamespace; readonly environment: string },
  signal: AbortSignal,
): Promise<Error> {
  const { name } = namespace.metadata
  const holders = describeHeld(await findHeldObjects(api, namespace, signal))
  const words = holders === '' ? describeTermination(namespace) || 'the cluster says nothing about why' : holders
  return stuckFailure(`The namespace ${name} is still being deleted`, {
    environment,
    words,
    afterMs: removalPatienceMs,
  })
}

/** `PLATFORM_STUCK`: what is still there after which time, what holds it, and what can be done. */
export function stuckFailure(
  what: string,
  { environment, words, afterMs }: { readonly environment: string; readonly words: string; readonly afterMs: number },
): Error {
  return failure(
    'PLATFORM_STUCK',
    `${what} after ${Math.round(afterMs / 1000)} s: ${words}. Whoever set a finalizer should clean up and take it off; \`tributary env release-finalizers ${environment}\` takes it off without that`,
  )
}
