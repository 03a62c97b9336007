import type { BrokenService, DefinedService, ServiceCatalog } from './service-definition.js'
import { isWithin, resolveInRepository } from './repository-path.js'

/** The services of a repository that a set of paths touches. */
export interface ChangedServices {
  readonly services: readonly DefinedService[]
  readonly broken: readonly BrokenService[]
}

/**
 * Which services changed. A service owns the folder of its file, and the deepest folder wins; services of one folder share
 * it. Beyond that a service changes with what its `paths` name. `tributary.yaml` in the root is no service's.
 */
export function changedServices(catalog: ServiceCatalog, paths: readonly string[]): ChangedServices {
  const folders = new Set([...catalog.services, ...catalog.broken].map((service) => service.directory))
  const touched = new Set<string>()
  for (const path of paths) {
    const owner = path === 'tributary.yaml' ? undefined : deepestFolder(folders, path)
    if (owner !== undefined) touched.add(owner)
  }
  return {
    services: catalog.services.filter(
      (service) => touched.has(service.directory) || namesOneOf(service.definition.paths ?? [], paths),
    ),
    broken: catalog.broken.filter((service) => touched.has(service.directory)),
  }
}

function deepestFolder(folders: ReadonlySet<string>, path: string): string | undefined {
  let folder = path
  while (folder !== '') {
    folder = folder.includes('/') ? folder.slice(0, folder.lastIndexOf('/')) : ''
    if (folders.has(folder)) return folder
  }
  return undefined
}

function namesOneOf(named: readonly string[], paths: readonly string[]): boolean {
  return named
    .map((folder) => resolveInRepository('', folder))
    .some((folder) => folder !== undefined && paths.some((path) => isWithin(folder, path)))
}
