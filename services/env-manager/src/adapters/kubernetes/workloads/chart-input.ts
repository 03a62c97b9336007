import { join } from 'node:path'
import { chartSourceOf } from '../../../domain/chart-source.js'
import { isFromRegistries } from '../../../domain/chart-registries.js'
import { failure } from '../../../errors.js'
import type { ChartRelease } from '../../../ports/chart-releases.js'
import type { WorkloadSpec } from '../../../ports/platform.js'
import type { KubernetesParts } from '../kubernetes-parts.js'

/** A chart where Helm can read it, until `discard` is called. */
export interface OpenChart {
  readonly reference: Pick<ChartRelease, 'chart' | 'version' | 'chartRoot' | 'origin'>
  readonly discard: () => Promise<void>
}

/** What of the platform's parts a chart depends on. */
export type ChartParts = Pick<
  KubernetesParts,
  'serviceChart' | 'hasBundledChart' | 'config' | 'sourceControl' | 'dataDirectory'
>

/**
 * The service's own chart, of its repository at the commit or of a registry that the operator named, else the configured or bundled one.
 * @throws AppError `PLATFORM_UNSUPPORTED`, `CHART_INVALID` for a registry that nobody named, `GIT_*`.
 */
export async function openChart(parts: ChartParts, spec: WorkloadSpec): Promise<OpenChart> {
  const { environment, service, repository, commitSha, directory, definition } = spec
  const source = chartSourceOf(definition.chart, directory) ?? refuse(spec)
  if (source.kind === 'generated') {
    const origin = parts.hasBundledChart ? 'platform' : 'foreign'
    return kept({ ...referenceOf(parts.serviceChart), origin })
  }
  if (source.kind === 'registry') {
    checkRegistry(source.chart, { service, registries: parts.config.charts.registries })
    return kept({ chart: source.chart, version: source.version })
  }
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

function checkoutFolder({ dataDirectory }: Pick<KubernetesParts, 'dataDirectory'>): string {
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

/** The manager would ask any server that a branch names, with its own credentials where it has some. */
function checkRegistry(
  chart: string,
  { service, registries }: { readonly service: string; readonly registries: readonly string[] },
): void {
  if (isFromRegistries(chart, registries)) return
  const named = registries.length === 0 ? 'names none' : `names ${registries.join(', ')}`
  throw failure(
    'CHART_INVALID',
    `could not deploy ${service}: its chart ${chart} is of a registry that this installation does not take charts from (platform.kubernetes.charts.registries ${named}); ask an operator to add it, or put the chart into the repository`,
  )
}

function refuse({ service, definition }: WorkloadSpec): never {
  throw failure(
    'PLATFORM_UNSUPPORTED',
    `could not deploy ${service}: its chart ${JSON.stringify(definition.chart)} is neither a folder of the repository nor oci://registry/path:version`,
  )
}
