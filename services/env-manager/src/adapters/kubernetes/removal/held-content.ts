import PQueue from 'p-queue'
import { ENV_MANAGER_PERMISSIONS } from '../../../domain/cluster-permissions.js'
import type { KubeApi } from '../api/kube-api.js'
import type { KubernetesParts } from '../kubernetes-parts.js'
import { stuckFailure } from './await-namespace-gone.js'
import { describeHeld, discover, heldIn, type HeldObject } from './stuck-namespace.js'
import { lookAgainMs } from './waiting.js'

const PARALLEL = 8

/** What the role in an environment's namespace lets the manager see, delete and take finalizers off. */
const KINDS = ENV_MANAGER_PERMISSIONS.filter(
  ({ scope, verbs }) => scope === 'environment' && ['list', 'delete', 'patch'].every((verb) => verbs.includes(verb)),
)

/**
 * Deletes what has finalizers in a namespace, and waits until it is gone: with the namespace its RoleBinding would go, and the manager could neither tell
 * what holds it nor release that.
 * @throws AppError `PLATFORM_STUCK` (retryable) when something is still held after a while; the message names it, and who holds it.
 */
export async function deleteHeldContent(
  { api, clock, spaces, removalPatienceMs }: KubernetesParts,
  environment: string,
  signal: AbortSignal,
): Promise<void> {
  const namespace = spaces.namespaceOf(environment)
  const begun = clock.monotonicMs()
  for (;;) {
    const held = await findHeldContent(api, namespace, signal)
    if (held.length === 0) return
    for (const { resource, name, uid } of held.filter(({ isEnding }) => isEnding !== true))
      await api.delete(resource, { namespace, name }, { signal, ...(uid === undefined ? {} : { uid }) })
    const waitedMs = clock.monotonicMs() - begun
    if (waitedMs > removalPatienceMs) {
      const words = describeHeld(held)
      throw stuckFailure(`The namespace ${namespace} is not empty yet`, {
        environment,
        words,
        afterMs: removalPatienceMs,
      })
    }
    await clock.sleep(lookAgainMs(waitedMs), signal).catch(() => undefined)
  }
}

/** Everything in a namespace that has finalizers, of the kinds that the manager may act on. */
export async function findHeldContent(
  api: KubeApi,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly HeldObject[]> {
  const queue = new PQueue({ concurrency: PARALLEL })
  const found = await Promise.all(
    KINDS.map(({ resource: plural, group }) =>
      queue.add(async () => {
        const resource = await discover(api, { plural, group }, signal)
        return resource === undefined ? [] : heldIn(api, { resource, namespace }, signal)
      }),
    ),
  )
  return found.flat()
}
