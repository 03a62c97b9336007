import { chartHostsOf, type ChartHosts } from '../../../domain/chart-hosts.js'
import { failure } from '../../../errors.js'
import type { PlatformContext, Workload, WorkloadSpec } from '../../../ports/platform.js'
import type { ChartRelease } from '../../../ports/chart-releases.js'
import { RESOURCES, type KubeDeployment } from '../api/kube-objects.js'
import type { KubernetesParts } from '../kubernetes-parts.js'
import { ANNOTATIONS, LABELS } from '../names.js'
import { objectId } from '../resource-ids.js'
import { removeName } from '../service-names.js'
import { applyRecorded } from '../space/ensure-space.js'
import { openChart } from './chart-input.js'
import { copySecret, endpointsOf, planCopy, type CopyPlan } from './copy-plan.js'

/** How long the watch may take to show what Helm has just applied. */
const SEEN_MS = 15_000

/**
 * Makes the copy's Secret and applies its Helm release; the former copy serves until the new one is ready. Waits for nothing but the Deployment's
 * appearance in the watch.
 * @throws AppError `PLATFORM_UNSUPPORTED`, `CHART_*`, `HELM_*`, `KUBERNETES_*`.
 */
export async function deployWorkload(
  parts: KubernetesParts,
  spec: WorkloadSpec,
  context: PlatformContext,
): Promise<Workload> {
  const { instance, config, serviceChart, spaces } = parts
  const hasIdentity = config.workloadIdentity
  const plan = planCopy(spec, { instance, hasIdentity, rendering: [serviceChart, config.values] })
  const workload = workloadOf(parts, spec, plan)
  if (await isDeployed(parts, spec, { plan, signal: context.signal })) return workload
  const { environment, service } = spec
  const namespace = spaces.namespaceOf(environment)
  await context.record({ kind: 'release', id: objectId(namespace, plan.release), environment })
  await applyRecorded(parts, copySecret(spec, plan, { instance, environment, namespace }), context)
  // A chart of the service's own may bring the Service of its name: Helm refuses to take over one that stands there.
  if (spec.definition.chart !== undefined) await removeName(parts, { environment, service }, context.signal)
  await applyRelease(parts, { spec, plan }, context)
  await awaitSeen(parts, spec, { plan, signal: context.signal })
  return workload
}

async function applyRelease(
  parts: KubernetesParts,
  { spec, plan }: { readonly spec: WorkloadSpec; readonly plan: CopyPlan },
  context: PlatformContext,
): Promise<void> {
  const { reference, discard } = await openChart(parts, spec)
  try {
    const release: ChartRelease = {
      ...reference,
      kubeNamespace: parts.spaces.namespaceOf(spec.environment),
      name: plan.release,
      values: parts.chartValues(spec, plan),
      description: descriptionOf(plan.workloadId),
      labels: plan.labels,
      stamp: { labels: plan.labels, podAnnotations: plan.podAnnotations },
      hosts: hostsOf(parts, spec.environment),
    }
    await parts.charts.apply(release, context)
  } finally {
    await discard()
  }
}

function hostsOf({ config, reservedUrls }: KubernetesParts, environment: string): ChartHosts {
  const { charts, routes } = config
  return chartHostsOf({ environment, url: routes.url, allowed: charts.hosts, reservedUrls })
}

/** What a release's description says, and `retireWorkloads` looks for. */
export function descriptionOf(workloadId: string): string {
  return `workload ${workloadId}`
}

function workloadOf({ config, spaces }: KubernetesParts, spec: WorkloadSpec, plan: CopyPlan): Workload {
  const { environment, generation, service, commitSha, version } = spec
  const endpoints = endpointsOf(
    { service, namespace: spaces.namespaceOf(environment), clusterDomain: config.clusterDomain },
    plan.ports,
  )
  return { workloadId: plan.workloadId, environment, generation, service, commitSha, version, endpoints }
}

/** Asks the cluster and not the cache: the answer decides whether anything is done at all. */
async function isDeployed(
  { api, charts, spaces }: KubernetesParts,
  { environment, service }: WorkloadSpec,
  { plan, signal }: { readonly plan: CopyPlan; readonly signal: AbortSignal },
): Promise<boolean> {
  const namespace = spaces.namespaceOf(environment)
  const labelSelector = `${LABELS.service}=${service}`
  const { items } = await api.list<KubeDeployment>(RESOURCES.deployment, { namespace, labelSelector }, signal)
  if (!items.some((deployment) => workloadIdOf(deployment) === plan.workloadId)) return false
  // A client that was killed after the Deployment may have left other objects unmade.
  const [newest] = await charts.history({ kubeNamespace: namespace, name: plan.release }, { signal })
  return newest?.state === 'deployed'
}

function workloadIdOf({ spec }: KubeDeployment): string | undefined {
  return spec?.template?.metadata?.annotations?.[ANNOTATIONS.workloadId]
}

async function awaitSeen(
  { book }: KubernetesParts,
  { environment, service, definition }: WorkloadSpec,
  { plan, signal }: { readonly plan: CopyPlan; readonly signal: AbortSignal },
): Promise<void> {
  const seen = await book.until(() => book.find(plan.workloadId) !== undefined, { signal, timeoutMs: SEEN_MS })
  if (seen) return
  signal.throwIfAborted()
  const cause =
    definition.chart === undefined
      ? 'the watch does not show it'
      : `the chart ${definition.chart} makes none with the labels and pod annotations of its values`
  throw failure(
    definition.chart === undefined ? 'KUBERNETES_UNREACHABLE' : 'PLATFORM_UNSUPPORTED',
    `${service} in ${environment} was applied, but no Deployment of it appears: ${cause}. A chart must put .Values.labels on its Deployment, and .Values.podLabels and .Values.podAnnotations on the pod template`,
  )
}
