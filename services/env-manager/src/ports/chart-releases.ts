/** A Helm release: what is to be installed where. `values` must hold no secrets: Helm keeps them in its release record. */
export interface ChartRelease {
  readonly kubeNamespace: string
  /** DNS-1123 label of at most 53 characters. */
  readonly name: string
  /** A folder with a `Chart.yaml`, or `oci://registry/path` with `version`. */
  readonly chart: string
  readonly version?: string
  readonly values: Readonly<Record<string, unknown>>
  /** Stands in the release's description: which run and commit made this revision. */
  readonly description: string
  /** Labels of the release record, by which releases of this installation are found again. */
  readonly labels: Readonly<Record<string, string>>
}

/** One revision of a release, as Helm's history has it. `appliedAt` is epoch milliseconds. */
export interface ChartRevision {
  readonly helmRevision: number
  readonly state: 'deployed' | 'superseded' | 'failed' | 'pending' | 'uninstalled' | 'unknown'
  readonly description: string
  readonly appliedAt: number
}

/** A release that exists, at its newest revision. */
export interface ReleaseStatus extends ChartRevision {
  readonly kubeNamespace: string
  readonly name: string
}

/** What every call that may take long gets. `log` takes Helm's own lines. */
export interface ChartReleaseContext {
  readonly signal: AbortSignal
  readonly log?: (text: string) => void
}

/**
 * Helm releases (docs/adr/0006, 0014). Objects are applied and nothing is waited for: health is watched by the caller, who can name the cause.
 * Every method is idempotent, recovers a release that a killed client left pending, and rejects with `AppError`: `CHART_INVALID` (chart, values or
 * schema; the same input fails again), `CHART_REJECTED` (the API server refused an object: quota, policy, immutable field; the message names the object),
 * `HELM_UNAVAILABLE` (retryable: the cluster or the registry could not be reached), `HELM_FAILED`. An abort leaves a known state: the next call recovers it.
 */
export interface ChartReleases {
  /** Installs or upgrades. */
  apply(release: ChartRelease, context: ChartReleaseContext): Promise<ChartRevision>
  /** Makes the manifest and values of an earlier revision current again, as a new revision. `CHART_REVISION_NOT_FOUND` */
  rollback(
    target: { readonly kubeNamespace: string; readonly name: string; readonly helmRevision: number },
    context: ChartReleaseContext,
  ): Promise<ChartRevision>
  /** Removes the release and its objects; nothing happens when it is not there. */
  uninstall(
    target: { readonly kubeNamespace: string; readonly name: string },
    context: ChartReleaseContext,
  ): Promise<void>
  /** Newest first; empty when there is no such release. */
  history(
    target: { readonly kubeNamespace: string; readonly name: string },
    context: ChartReleaseContext,
  ): Promise<readonly ChartRevision[]>
  /** Releases of a namespace, in any state. */
  list(kubeNamespace: string, context: ChartReleaseContext): Promise<readonly ReleaseStatus[]>
  /** The objects that `apply` would send, as YAML, without a cluster. */
  render(release: ChartRelease, context: ChartReleaseContext): Promise<string>
}
