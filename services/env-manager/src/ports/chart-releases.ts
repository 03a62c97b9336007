import type { ChartHosts } from '../domain/chart-hosts.js'
import type { ObjectStamp } from '../domain/stamp-objects.js'

/** A Helm release: what is to be installed where. `values` must hold no secrets: Helm keeps them in its release record. */
export interface ChartRelease {
  readonly kubeNamespace: string
  /** DNS-1123 label of at most 53 characters. */
  readonly name: string
  /** A folder with a `Chart.yaml`, or `oci://registry/path` with `version`. */
  readonly chart: string
  /** For a folder of a repository: its checkout, which the chart must not leave. */
  readonly chartRoot?: string
  readonly version?: string
  /** `platform`: a chart that comes with this program and takes labels and annotations from its values. Default `foreign`: hostile input. */
  readonly origin?: 'platform' | 'foreign'
  readonly values: Readonly<Record<string, unknown>>
  /** Stands in the release's description: which run and commit made this revision. */
  readonly description: string
  /** Labels of the release record, by which releases of this installation are found again. */
  readonly labels: Readonly<Record<string, string>>
  /** Put on what the chart makes, whether or not it looks at its values. */
  readonly stamp?: ObjectStamp
  /** Hosts that Ingresses and routes of a foreign chart may claim. Default: none. */
  readonly hosts?: ChartHosts
}

/** One revision of a release, as Helm's history has it. `appliedAt` is epoch milliseconds. */
export interface ChartRevision {
  readonly helmRevision: number
  readonly state: 'deployed' | 'superseded' | 'failed' | 'pending' | 'uninstalled' | 'unknown'
  readonly description: string
  readonly appliedAt: number
}

/** A release that exists, at its newest revision. Helm's list has no descriptions. */
export interface ReleaseStatus extends Omit<ChartRevision, 'description'> {
  readonly kubeNamespace: string
  readonly name: string
}

/** Which release. */
export type ReleaseName = Pick<ChartRelease, 'kubeNamespace' | 'name'>

/** What every call that may take long gets. `log` takes Helm's own lines. */
export interface ChartReleaseContext {
  readonly signal: AbortSignal
  readonly log?: (text: string) => void
}

/**
 * Helm releases (docs/adr/0006, 0014). Objects are applied and nothing but hooks is waited for: health is watched by the caller, who can name
 * the cause. A foreign chart is hostile input: it is rendered where neither the cluster nor the manager's files can be read, and may make
 * only namespaced objects in the release's own namespace, and claim only `hosts`. The platform's own is applied as it is.
 *
 * Every method is idempotent, recovers a release that a killed client left pending, and rejects with `AppError`: `CHART_INVALID` (chart, values or
 * schema; the same input fails again), `CHART_REJECTED` (the API server refused an object: quota, policy, immutable field; the message names the object),
 * `CHART_HOOK_FAILED`, `HELM_UNAVAILABLE` (retryable: the cluster or the registry could not be reached), `HELM_FORBIDDEN` (retryable), `HELM_NOT_INSTALLED`,
 * `HELM_TIMEOUT`, `HELM_CANCELED`, `HELM_FAILED`. An abort leaves a known state: the next call recovers it.
 */
export interface ChartReleases {
  /** Installs or upgrades. */
  apply(release: ChartRelease, context: ChartReleaseContext): Promise<ChartRevision>
  /** Makes the manifest and values of an earlier revision current again, as a new revision. `CHART_REVISION_NOT_FOUND` */
  rollback(
    target: ReleaseName & { readonly helmRevision: number },
    context: ChartReleaseContext,
  ): Promise<ChartRevision>
  /** Removes the release and its objects; nothing happens when it is not there. */
  uninstall(target: ReleaseName, context: ChartReleaseContext): Promise<void>
  /** Newest first; empty when there is no such release. */
  history(target: ReleaseName, context: ChartReleaseContext): Promise<readonly ChartRevision[]>
  /** Releases of a namespace, in any state. */
  list(kubeNamespace: string, context: ChartReleaseContext): Promise<readonly ReleaseStatus[]>
  /** The objects that `apply` would send to this cluster, as YAML. Nothing is sent. */
  render(release: ChartRelease, context: ChartReleaseContext): Promise<string>
}
