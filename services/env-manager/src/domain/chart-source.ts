import { resolveInRepository } from './repository-path.js'

/** Where a service's chart comes from. `path` is from the repository's root. */
export type ChartSource =
  | { readonly kind: 'generated' }
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'registry'; readonly chart: string; readonly version: string }

const REGISTRY_CHART =
  /^(oci:\/\/[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?(?::\d{1,5})?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+):([0-9A-Za-z][-0-9A-Za-z.+]{0,127})$/

/**
 * Reads `chart` of a service.yaml: none (the chart is generated), `oci://registry/path:version`, or a folder of the repository relative to
 * the file. Undefined when it is neither, or leaves the repository.
 */
export function chartSourceOf(chart: string | undefined, directory: string): ChartSource | undefined {
  if (chart === undefined) return { kind: 'generated' }
  const [, reference, version] = REGISTRY_CHART.exec(chart) ?? []
  if (reference !== undefined && version !== undefined) return { kind: 'registry', chart: reference, version }
  if (/^[a-z][a-z0-9+.-]*:/i.test(chart)) return undefined
  const path = resolveInRepository(directory, chart)
  return path === undefined ? undefined : { kind: 'folder', path }
}
