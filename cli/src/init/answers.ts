import type { InitFlags } from '../commands/init.js'
import type { Findings } from './look-around.js'

/** What the two files are written from. */
export interface Answers {
  readonly service: string
  readonly port: number
  /** How it is started on this machine. */
  readonly command: string
  /** Empty: that the port answers is enough. */
  readonly readiness: string
  readonly dependsOn: readonly string[]
  readonly hasImage: boolean
  readonly repository: string
  readonly integrationBranch: string
}

/** The options, then what was found, then what is usual. Pure. */
export function propose(flags: InitFlags, found: Findings): Answers {
  return {
    service: flags.service ?? serviceNameOf(found.packageName ?? found.folderName),
    port: flags.port === undefined ? (found.exposedPort ?? 8080) : Number(flags.port),
    command:
      flags.command ?? (found.startScript === undefined ? (found.imageCommand ?? 'node server.js') : 'npm start'),
    readiness: flags.readiness ?? '',
    dependsOn: flags.dependsOn ?? [],
    hasImage: found.hasDockerfile,
    repository: flags.repository ?? found.origin ?? '',
    integrationBranch: flags.integrationBranch ?? found.defaultBranch ?? 'main',
  }
}

/** A DNS-1123 label made of any name: `@shop/Orders_API` becomes `orders-api`. */
export function serviceNameOf(text: string): string {
  const label = text
    .replace(/^@[^/]*\//, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, '')
  return label === '' ? 'service' : label
}

/** A name for the repository in the configuration: the last part of its URL. */
export function repositoryNameOf(url: string): string {
  const last = url.replace(/\/+$/, '').split(/[/:]/).at(-1) ?? ''
  return serviceNameOf(last.replace(/\.git$/, ''))
    .slice(0, 40)
    .replace(/-+$/, '')
}
