import { createHash } from 'node:crypto'
import type { CatalogReader } from './catalog.js'
import type { GrayValue } from './records.js'

/** Who follows which view. */
export interface ViewFollower {
  readonly tenant: string
  /** The service whose config it follows; null: all of them. */
  readonly service: string | null
  /** Its name; empty when it gave none. */
  readonly instance: string
}

/** Parts of all instances: a percent is a hundred of them. */
const PARTS = 10_000
const PARTS_OF_PERCENT = 100

/**
 * Whether a follower gets the document of a gray release: one that follows the config of just that service in that very tenant, and is
 * named or drawn. Tenants that overlay it get nothing before it is promoted.
 */
export function isInGray(catalog: CatalogReader, { tenant, service, instance }: ViewFollower): boolean {
  if (service === null || instance === '') return false
  const release = catalog.gray(tenant, service)
  return release !== undefined && isMember(release, instance)
}

/** Whether the instance is named, or drawn by the hash of its name: whoever is among 10 percent is among 20 too. */
export function isMember({ id, instances, percent }: GrayValue, instance: string): boolean {
  if (instances !== undefined) return instances.includes(instance)
  if (percent === undefined) return false
  const drawn = createHash('sha256').update(`${id}\n${instance}`, 'utf8').digest().readUInt32BE(0) % PARTS
  return drawn < percent * PARTS_OF_PERCENT
}
