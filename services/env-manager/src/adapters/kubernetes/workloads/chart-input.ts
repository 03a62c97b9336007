import { join } from 'node:path'
import { chartSourceOf } from '../../../domain/chart-source.js'
import { failure } from '../../../errors.js'
import type { ChartRelease } from '../../../ports/chart-releases.js'
import type { WorkloadSpec } from '../../../ports/platform.js'
import type { KubernetesParts } from '../kubernetes-parts.js'

/** A chart where Helm can read it, until `discard` is called. */
export interface OpenChart {
  readonly reference: Pick<ChartRelease, 'chart' | 'version' | 'chartRoot'>
  readonly discard: () => Promise<void>
}

/** The service's own chart, of its repository at the commit or of a registry, else the configured or bundled one. */
export async function openChart(parts: KubernetesParts, spec: WorkloadSpec): Promise<OpenChart> {
  const { environment, service, repository, commitSha, directory, definition } = spec
  const source = chartSourceOf(definition.chart, directory) ?? refuse(spec)
  if (source.kind === 'generated') return kept(referenceOf(parts.serviceChart))
  if (source.kind === 'registry') return kept({ chart: source.chart, version: source.version })
  const chartRoot = join(checkoutFolder(parts), environment, service, commitSha)
  await parts.sourceControl.ensureCheckout({ name: repository }, commitSha, chartRoot)
  return {
    reference: { chart: join(chartRoot, source.path), chartRoot },
    discard: () => parts.sourceControl.removeCheckout({ name: repository }, chartRoot),
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

/** The configured chart: a folder, or `oci://registry/path:version`. */
function referenceOf(text: string): OpenChart['reference'] {
  const source = chartSourceOf(text, '')
  return source?.kind === 'registry' ? { chart: source.chart, version: source.version } : { chart: text }
}

function kept(reference: OpenChart['reference']): OpenChart {
  return { reference, discard: async () => undefined }
}

function refuse({ service, definition }: WorkloadSpec): never {
  throw failure(
    'PLATFORM_UNSUPPORTED',
    `could not deploy ${service}: its chart ${JSON.stringify(definition.chart)} is neither a folder of the repository nor oci://registry/path:version`,
  )
}
