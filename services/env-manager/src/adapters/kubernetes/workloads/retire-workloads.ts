import type { ChartRevision } from '../../../ports/chart-releases.js'
import type { PlatformContext } from '../../../ports/platform.js'
import { RESOURCES, type KubeSecret } from '../api/kube-objects.js'
import type { KubernetesParts } from '../kubernetes-parts.js'
import { ANNOTATIONS, labelsOf, releaseNameOf, selectorOf } from '../names.js'
import { descriptionOf } from './deploy-workload.js'

/** Which copies are to go. */
export interface RetireTarget {
  readonly environment: string
  readonly service: string
  readonly keepWorkloadId?: string
}

const SEEN_MS = 15_000

/**
 * Without a copy to keep: uninstalls the release. With one: makes its revision current again when another one is, then removes the Secrets of the
 * others. Does nothing when there is no such release.
 */
export async function retireWorkloads(
  parts: KubernetesParts,
  target: RetireTarget,
  context: PlatformContext,
): Promise<void> {
  const { environment, service, keepWorkloadId } = target
  const release = { kubeNamespace: parts.spaces.namespaceOf(environment), name: releaseNameOf(service) }
  const kept = keepWorkloadId !== undefined && (await keep(parts, { release, keepWorkloadId }, context))
  if (!kept) await parts.charts.uninstall(release, context)
  await removeSecrets(parts, kept ? target : { environment, service }, context.signal)
  const isSettled = (): boolean =>
    parts.book
      .list(environment)
      .every((workload) => workload.service !== service || (kept && workload.workloadId === keepWorkloadId))
  await parts.book.until(isSettled, { signal: context.signal, timeoutMs: SEEN_MS })
}

/** False when Helm has no revision of that copy any more: then there is nothing to go back to. */
async function keep(
  { charts, book }: KubernetesParts,
  given: {
    readonly release: { readonly kubeNamespace: string; readonly name: string }
    readonly keepWorkloadId: string
  },
  context: PlatformContext,
): Promise<boolean> {
  const { release, keepWorkloadId } = given
  const history = await charts.history(release, context)
  const [newest] = history
  const wanted = findRevision(history, keepWorkloadId)
  if (newest === undefined || wanted === undefined) return false
  const isCurrent = newest.state === 'deployed' && workloadOf(history, newest) === keepWorkloadId
  if (isCurrent && book.find(keepWorkloadId) !== undefined) return true
  context.log(`helm release ${release.name} in ${release.kubeNamespace} goes back to revision ${wanted.helmRevision}`)
  await charts.rollback({ ...release, helmRevision: wanted.helmRevision }, context)
  return true
}

/** The newest revision that made the workload and got through. */
export function findRevision(history: readonly ChartRevision[], workloadId: string): ChartRevision | undefined {
  return history.find(
    (revision) =>
      (revision.state === 'deployed' || revision.state === 'superseded') &&
      workloadOf(history, revision) === workloadId,
  )
}

/** Helm describes a rollback as "Rollback to N": it made what revision N had made. Pure. */
export function workloadOf(history: readonly ChartRevision[], revision: ChartRevision): string | undefined {
  const prefix = descriptionOf('')
  if (revision.description.startsWith(prefix)) return revision.description.slice(prefix.length)
  const target = Number(/^Rollback to (\d+)/.exec(revision.description)?.[1])
  const earlier = history.find(({ helmRevision }) => helmRevision === target && target < revision.helmRevision)
  return earlier === undefined ? undefined : workloadOf(history, earlier)
}

async function removeSecrets(
  { api, instance, spaces }: KubernetesParts,
  { environment, service, keepWorkloadId }: RetireTarget,
  signal: AbortSignal,
): Promise<void> {
  const namespace = spaces.namespaceOf(environment)
  const labelSelector = selectorOf(labelsOf({ instance, environment }, { service, purpose: 'copy' }))
  const { items } = await api.list<KubeSecret>(RESOURCES.secret, { namespace, labelSelector }, signal)
  const old = items.filter(({ metadata }) => metadata.annotations?.[ANNOTATIONS.workloadId] !== keepWorkloadId)
  for (const { metadata } of old) await api.delete(RESOURCES.secret, { namespace, name: metadata.name }, { signal })
}
