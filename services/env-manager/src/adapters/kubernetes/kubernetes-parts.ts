import type { Clock } from '@tributary/kit'
import type { KubernetesConfig } from '../../domain/kubernetes-config.js'
import type { ChartReleases } from '../../ports/chart-releases.js'
import type { WorkloadSpec } from '../../ports/platform.js'
import type { SourceControl } from '../../ports/source-control.js'
import type { AddressProof } from './addresses/address-proof.js'
import type { KubeApi } from './api/kube-api.js'
import type { Spaces } from './names.js'
import type { CopyPlan } from './workloads/copy-plan.js'
import type { WorkloadBook } from './workloads/workload-book.js'

/** Works out the values of a copy's release; they hold no secrets. Pure. @throws AppError `PLATFORM_UNSUPPORTED` */
export type ChartValues = (spec: WorkloadSpec, plan: CopyPlan) => Readonly<Record<string, unknown>>

/** What the platform's parts share. */
export interface KubernetesParts {
  readonly instance: string
  readonly config: KubernetesConfig
  readonly spaces: Spaces
  readonly api: KubeApi
  readonly charts: ChartReleases
  readonly book: WorkloadBook
  readonly proof: AddressProof
  readonly clock: Clock
  /** Checks out services' own charts. */
  readonly sourceControl: Pick<SourceControl, 'ensureCheckout' | 'removeCheckout' | 'listCheckouts'>
  /** Own charts are checked out below it. */
  readonly dataDirectory: string
  /** Chart of services that name none: an absolute folder, or `oci://registry/path:version`. */
  readonly serviceChart: string
  /** Whether that is the one which comes with this program, and needs no check. */
  readonly hasBundledChart: boolean
  /** Addresses of the platform itself, which no chart may claim. */
  readonly reservedUrls: readonly string[]
  /** The values of a copy's release. */
  readonly chartValues: ChartValues
  /** How long a namespace's end is waited for before its holder is named. Milliseconds. */
  readonly removalPatienceMs: number
}
