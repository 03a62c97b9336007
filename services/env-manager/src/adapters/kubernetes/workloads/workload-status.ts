import type { WorkloadStatus } from '../../../ports/platform.js'
import type { KubeDeployment, KubeEvent, KubePod } from '../api/kube-objects.js'
import { ANNOTATIONS, LABELS } from '../names.js'
import { endpointsOf, parsePorts } from './copy-plan.js'
import { isReady, reasonOfMissingPods, reasonOfPod, restartsOf, type Reason } from './pod-reason.js'

/** A workload and what is known of it now. */
export interface Assessment {
  readonly status: WorkloadStatus
  /** True when waiting is in vain. */
  readonly hasGivenUp: boolean
  /** True when its image cannot be had. */
  readonly lacksImage: boolean
  /** The pod that says most about why it is not well. */
  readonly pod: KubePod | undefined
}

/** What an assessment is made from: `pods` and `events` are those of the Deployment's namespace. */
export interface WorkloadFacts {
  readonly deployment: KubeDeployment
  readonly pods: readonly KubePod[]
  readonly events: readonly KubeEvent[]
  readonly clusterDomain: string
}

/** Pure. Undefined for a Deployment that is no copy of a service. */
export function assessWorkload(facts: WorkloadFacts): Assessment | undefined {
  const { deployment, clusterDomain } = facts
  const annotations = deployment.spec?.template?.metadata?.annotations ?? {}
  const service = deployment.metadata.labels?.[LABELS.service]
  const environment = deployment.metadata.labels?.[LABELS.environment]
  const { namespace = '' } = deployment.metadata
  const workloadId = annotations[ANNOTATIONS.workloadId]
  if (service === undefined || environment === undefined || workloadId === undefined) return undefined
  const pods = facts.pods.filter(
    ({ metadata }) =>
      metadata.annotations?.[ANNOTATIONS.workloadId] === workloadId && metadata.deletionTimestamp === undefined,
  )
  const worst = worstOf(pods, facts.events)
  const health = healthOf(deployment, worst?.reason)
  const reason =
    worst?.reason ?? reasonOfMissingPods(deployment.status?.conditions ?? [], eventsOf(deployment, facts.events))
  const status: WorkloadStatus = {
    workloadId,
    environment,
    generation: Number(annotations[ANNOTATIONS.generation] ?? 0),
    service,
    commitSha: annotations[ANNOTATIONS.commit] ?? '',
    version: annotations[ANNOTATIONS.version] ?? '',
    endpoints: endpointsOf({ service, namespace, clusterDomain }, parsePorts(annotations[ANNOTATIONS.ports] ?? '')),
    health,
    message: health === 'healthy' || health === 'stopped' ? null : (reason?.text ?? 'its pods are being made'),
    restarts: pods.reduce((sum, pod) => sum + restartsOf(pod), 0),
    startedAt: startOf(deployment, pods),
  }
  const lacksImage = reason?.isImage === true
  return { status, hasGivenUp: health === 'unhealthy', lacksImage, pod: worst?.pod ?? pods[0] }
}

interface Worst {
  readonly pod: KubePod
  readonly reason: Reason
}

/** One that will not get better comes first. */
function worstOf(pods: readonly KubePod[], events: readonly KubeEvent[]): Worst | undefined {
  const ill = pods.flatMap((pod) => {
    const reason = reasonOfPod(pod, events)
    return reason === undefined ? [] : [{ pod, reason }]
  })
  return ill.find(({ reason }) => reason.final) ?? ill[0]
}

/** `kubectl rollout status` decides in the same way when a rollout is complete. */
function healthOf(
  { metadata, spec, status = {} }: KubeDeployment,
  reason: Reason | undefined,
): WorkloadStatus['health'] {
  const wanted = spec?.replicas ?? 1
  if (metadata.deletionTimestamp !== undefined || wanted === 0) return 'stopped'
  const updated = status.updatedReplicas ?? 0
  const isObserved = (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  const isComplete = updated >= wanted && (status.replicas ?? 0) <= updated && (status.availableReplicas ?? 0) >= wanted
  // The pods are looked at too: the Deployment's counts are older than they.
  if (isObserved && isComplete && reason === undefined) return 'healthy'
  return reason?.final === true ? 'unhealthy' : 'starting'
}

/** Events of ReplicaSets bear the Deployment's name with a hash. */
function eventsOf({ metadata }: KubeDeployment, events: readonly KubeEvent[]): readonly KubeEvent[] {
  return events.filter(
    ({ involvedObject }) =>
      involvedObject?.kind === 'ReplicaSet' && involvedObject.name?.replace(/-[a-z0-9]+$/, '') === metadata.name,
  )
}

function startOf({ metadata }: KubeDeployment, pods: readonly KubePod[]): number {
  const ready = pods.filter(isReady)
  const instants = (ready.length > 0 ? ready : pods).map((pod) => Date.parse(pod.metadata.creationTimestamp ?? ''))
  const known = instants.filter(Number.isFinite)
  return known.length > 0 ? Math.max(...known) : Date.parse(metadata.creationTimestamp ?? '') || 0
}
