import type { ContainerStatus, KubeCondition, KubeEvent, KubePod } from '../api/kube-objects.js'

/** Why something is not well, in one readable line; `final` when it will not get better by waiting. */
export interface Reason {
  readonly text: string
  readonly final: boolean
  /** Its image cannot be had: it may be that nobody has built it yet. */
  readonly isImage?: true
}

/** The kubelet knows at once that these cannot work; everything else may yet come, e.g. an image that CI is still building. */
const FINAL_WAITING = new Set(['ErrImageNeverPull', 'InvalidImageName'])
const CRASHES_UNTIL_FINAL = 2
const MAX_TEXT = 400

/** What a pod's own status and events say; undefined when it is ready. Pure. */
export function reasonOfPod(pod: KubePod, events: readonly KubeEvent[]): Reason | undefined {
  if (isReady(pod)) return undefined
  const container = containersOf(pod).find((status) => !status.ready)
  return (
    (container === undefined ? undefined : reasonOfContainer(pod, container)) ??
    unschedulable(pod) ??
    failedPod(pod) ??
    notReady(pod, events) ?? {
      text: `pod ${pod.metadata.name} is ${(pod.status?.phase ?? 'being made').toLowerCase()}`,
      final: false,
    }
  )
}

/** Why no pod comes at all: a quota, a policy, a missing account. From the events of a Deployment's ReplicaSets. */
export function reasonOfMissingPods(
  conditions: readonly KubeCondition[],
  events: readonly KubeEvent[],
): Reason | undefined {
  const failed = conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True')
  const event = newest(events.filter(({ reason }) => reason === 'FailedCreate'))
  const message = failed?.message ?? event?.message
  if (message === undefined) return undefined
  const isQuota = message.includes('exceeded quota')
  return {
    text: shorten(isQuota ? `the quota of the environment is exceeded: ${message}` : `no pod can be made: ${message}`),
    final: false,
  }
}

/** Restarts of all containers together. */
export function restartsOf(pod: KubePod): number {
  return containersOf(pod).reduce((sum, { restartCount }) => sum + restartCount, 0)
}

/** True when the pod takes requests. */
export function isReady({ status, metadata }: KubePod): boolean {
  return (
    metadata.deletionTimestamp === undefined &&
    status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true
  )
}

/** True when the last lines of the container's former run tell more than those of the present one. */
export function hasCrashed(pod: KubePod): boolean {
  return containersOf(pod).some(({ lastState, state }) => (lastState?.terminated ?? state?.terminated) !== undefined)
}

function containersOf({ status }: KubePod): readonly ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []).filter(isUnfinished), ...(status?.containerStatuses ?? [])]
}

function isUnfinished({ state }: ContainerStatus): boolean {
  return state?.terminated?.exitCode !== 0
}

function reasonOfContainer(pod: KubePod, container: ContainerStatus): Reason | undefined {
  const { state, lastState, restartCount, image } = container
  const { reason, message } = state?.waiting ?? {}
  const ended = state?.terminated ?? lastState?.terminated
  const final = restartCount >= CRASHES_UNTIL_FINAL || (reason === 'CrashLoopBackOff' && restartCount >= 1)
  if (ended !== undefined && (state?.running === undefined || final)) {
    const times = restartCount > 0 ? `, ${restartCount} restart${restartCount === 1 ? '' : 's'} so far` : ''
    return { text: `pod ${pod.metadata.name} ended with ${describeEnd(ended)}${times}`, final }
  }
  if (reason === undefined || reason === 'ContainerCreating' || reason === 'PodInitializing') return undefined
  const isImage = reason.includes('Image')
  const what = isImage ? `the image ${image ?? ''} cannot be had (${reason})` : `the container waits (${reason})`
  const text = shorten(`${what}${message === undefined ? '' : `: ${message}`}`)
  return { text, final: FINAL_WAITING.has(reason), ...(isImage ? { isImage } : {}) }
}

function describeEnd({
  exitCode,
  signal,
  reason,
}: {
  readonly exitCode: number
  readonly signal?: number
  readonly reason?: string
}): string {
  if (reason === 'OOMKilled') return 'OOMKilled: it took more memory than its limit'
  return signal === undefined ? `exit status ${exitCode}` : `signal ${signal}`
}

function unschedulable({ metadata, status }: KubePod): Reason | undefined {
  const condition = status?.conditions?.find(({ type, status: value }) => type === 'PodScheduled' && value === 'False')
  if (condition === undefined) return undefined
  return {
    text: shorten(`pod ${metadata.name} finds no node: ${condition.message ?? condition.reason ?? 'no reason given'}`),
    final: false,
  }
}

function failedPod({ metadata, status }: KubePod): Reason | undefined {
  if (status?.phase !== 'Failed') return undefined
  return {
    text: shorten(`pod ${metadata.name} failed: ${status.reason ?? ''} ${status.message ?? ''}`.trim()),
    final: false,
  }
}

/** Readiness and mounts are told in events alone. */
function notReady(pod: KubePod, events: readonly KubeEvent[]): Reason | undefined {
  const event = newest(events.filter(({ involvedObject }) => involvedObject?.uid === pod.metadata.uid))
  if (event?.message === undefined) return undefined
  const isProbe = event.reason === 'Unhealthy'
  return { text: shorten(isProbe ? event.message : `pod ${pod.metadata.name}: ${event.message}`), final: false }
}

function newest(events: readonly KubeEvent[]): KubeEvent | undefined {
  const at = (event: KubeEvent): string =>
    event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? ''
  return [...events].sort((left, right) => (at(left) < at(right) ? 1 : -1))[0]
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length <= MAX_TEXT ? line : `${line.slice(0, MAX_TEXT - 1)}…`
}
