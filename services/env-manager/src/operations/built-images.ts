import type { RevisionedStore } from '@tributary/store'
import type { DesiredService } from '../domain/desired-services.js'
import { findImage } from './state/images.js'

/** Services of an environment by whether they can be deployed now. */
export interface ImagesSought {
  readonly services: readonly DesiredService[]
  /** Nobody has named the image of their commit yet. */
  readonly awaiting: readonly DesiredService[]
}

/** Gives each service that is deployed when its image is there that image, in the place of `run.image`. */
export async function seekImages(
  store: RevisionedStore,
  environment: string,
  desired: readonly DesiredService[],
): Promise<ImagesSought> {
  const sought = await Promise.all(
    desired.map(async (service) => ({ service, found: await withBuiltImage(store, environment, service) })),
  )
  return {
    services: sought.flatMap(({ found }) => found ?? []),
    awaiting: sought.flatMap(({ service, found }) => (found === undefined ? [service] : [])),
  }
}

/** Undefined: it waits for an image that nobody has named. */
export async function withBuiltImage(
  store: RevisionedStore,
  environment: string,
  desired: DesiredService,
): Promise<DesiredService | undefined> {
  const { service, commitSha, defined } = desired
  const { definition } = defined
  if (definition.deploy?.on !== 'image') return desired
  const image = await findImage(store, { environment, service, commitSha })
  if (image === undefined) return undefined
  return { ...desired, defined: { ...defined, definition: { ...definition, run: { ...definition.run, image } } } }
}
