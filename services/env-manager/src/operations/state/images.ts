import type { Mutation, RevisionedStore } from '@tributary/store'
import { listJson, putJson, readJson } from './json-store.js'
import { stateKeys } from './keys.js'

/** Which image is meant: that of a service at a commit, as an environment was told of it. */
export interface ImageTarget {
  readonly environment: string
  readonly service: string
  readonly commitSha: string
}

/** An image that a pipeline has named. `at` is epoch milliseconds. */
export interface KnownImage {
  readonly commitSha: string
  readonly image: string
  readonly at: number
}

/** How many images of a service are kept besides those that may be needed again. */
const MAX_IMAGES = 50

/** Undefined: none was named, or it is no longer kept. */
export async function findImage(store: RevisionedStore, target: ImageTarget): Promise<string | undefined> {
  return (await readJson<KnownImage>(store, keyOf(target)))?.value.image
}

/** Keeps an image, and lets go of the oldest ones of the service but those of `needed` commits. */
export async function keepImage(
  store: RevisionedStore,
  target: ImageTarget,
  { image, at, needed }: Pick<KnownImage, 'image' | 'at'> & { readonly needed: ReadonlySet<string> },
): Promise<void> {
  const { environment, service, commitSha } = target
  const kept = await listJson<KnownImage>(store, stateKeys.imagesOfService(environment, service))
  const spare = kept
    .filter(({ value }) => value.commitSha !== commitSha && !needed.has(value.commitSha))
    .sort((left, right) => right.value.at - left.value.at)
  const dropped = spare.slice(MAX_IMAGES - 1).map(({ key }): Mutation => ({ kind: 'delete', select: { key } }))
  const known: KnownImage = { commitSha, image, at }
  await store.transact({ compares: [], mutations: [putJson(keyOf(target), known), ...dropped] })
}

/** Forgets all images of an environment. Idempotent. */
export async function deleteImages(store: RevisionedStore, environment: string): Promise<void> {
  await store.transact({
    compares: [],
    mutations: [{ kind: 'delete', select: { prefix: stateKeys.imagesOf(environment) } }],
  })
}

function keyOf({ environment, service, commitSha }: ImageTarget): string {
  return stateKeys.image(environment, service, commitSha)
}
