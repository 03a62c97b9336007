import { join } from 'node:path'
import type { WorkloadSpec } from '../../../ports/platform.js'
import type { KubernetesParts } from '../kubernetes-parts.js'

/** A chart where Helm can read it, until `release` is called. */
export interface ChartSource {
  readonly chart: string
  readonly version?: string
  readonly chartRoot?: string
  readonly release: () => Promise<void>
}

/** The service's own chart, of its repository at the commit or of a registry, else the configured or bundled one. */
export async function openChart(parts: KubernetesParts, spec: WorkloadSpec): Promise<ChartSource> {
  const { chart } = spec.definition
  if (chart === undefined) return withNothingToRelease(parts.serviceChart)
  if (chart.startsWith('oci://')) return withNothingToRelease(chart)
  const { environment, service, repository, commitSha, directory } = spec
  const chartRoot = join(checkoutFolder(parts), environment, service, commitSha)
  await parts.sourceControl.ensureCheckout({ name: repository }, commitSha, chartRoot)
  return {
    chart: join(chartRoot, directory, chart),
    chartRoot,
    release: () => parts.sourceControl.removeCheckout({ name: repository }, chartRoot),
  }
}

/** Removes checkouts that a killed manager left. */
export async function removeCheckouts(parts: KubernetesParts): Promise<void> {
  const folder = `${checkoutFolder(parts)}/`
  for (const { repository, directory } of await parts.sourceControl.listCheckouts())
    if (directory.startsWith(folder)) await parts.sourceControl.removeCheckout({ name: repository }, directory)
}

function checkoutFolder({ dataDirectory }: KubernetesParts): string {
  return join(dataDirectory, 'charts')
}

/** `oci://registry/path:1.2.3` is taken apart: the version goes to Helm by itself. A colon before the last slash is a port. */
function withNothingToRelease(text: string): ChartSource {
  const release = async (): Promise<void> => undefined
  const colon = text.startsWith('oci://') ? text.lastIndexOf(':') : -1
  if (colon <= text.lastIndexOf('/')) return { chart: text, release }
  return { chart: text.slice(0, colon), version: text.slice(colon + 1), release }
}
