import type { ImageOutcome } from '@tributary/contract'
import type { Clock } from '@tributary/kit'
import type { RevisionedStore } from '@tributary/store'
import type { ServiceRecord } from '../domain/environment-record.js'
import { ownMember } from '../domain/own-member.js'
import { failure } from '../errors.js'
import { changeable } from './change-environment.js'
import { updateEnvironment } from './state/environments.js'
import { findImage, keepImage, type ImageTarget } from './state/images.js'

/** What is to be done about an image. */
export interface TakenImage {
  readonly outcome: ImageOutcome
  /** A run that is under way may be deploying the image of before. */
  readonly isOutdatingRuns: boolean
}

/**
 * Takes the image that a pipeline has built of a commit. One that nobody waits for yet is kept: a pipeline may be faster than the look at git.
 * @throws AppError `ENVIRONMENT_NOT_FOUND`, `ENVIRONMENT_TERMINATING`, `IMAGE_NOT_AWAITED`
 */
export async function takeImage(
  { store, clock }: { readonly store: RevisionedStore; readonly clock: Pick<Clock, 'now'> },
  { image, ...target }: ImageTarget & { readonly image: string },
): Promise<TakenImage> {
  const { environment, service, commitSha } = target
  const record = await changeable(store, environment)
  const wanted = ownMember(record.services, service)
  // Of any other commit it is not known: what is pushed next may say otherwise.
  if (wanted?.wantedCommit === commitSha && wanted.onImage !== true) throw notAwaited(target)
  const before = await findImage(store, target)
  const isWanted = wanted?.wantedCommit === commitSha
  // The record is written last: what was cut off in between is made good by naming the image once more.
  if (before === image && (!isWanted || wanted.wantedImage === image))
    return { outcome: 'known', isOutdatingRuns: false }
  await keepImage(store, target, { image, at: clock.now(), needed: commitsOf(wanted) })
  const isOutdatingRuns = before !== undefined && before !== image
  if (record.asleep || !isWanted) return { outcome: 'kept', isOutdatingRuns }
  await requestLook(store, { ...target, image })
  return { outcome: wanted.deployed?.commitSha === commitSha ? 'replaces' : 'deploys', isOutdatingRuns }
}

/** The commits that the service may be deployed at again. */
function commitsOf(service: ServiceRecord | undefined): ReadonlySet<string> {
  if (service === undefined) return new Set()
  const { wantedCommit, deployed, history } = service
  return new Set([wantedCommit, ...[deployed, ...history].flatMap((copy) => copy?.commitSha ?? [])])
}

/** Has the environment looked at again; a commit that was given up on may come up with this image. */
async function requestLook(
  store: RevisionedStore,
  { environment, service, commitSha, image }: ImageTarget & { readonly image: string },
): Promise<void> {
  await updateEnvironment(store, environment, (current) => {
    const now = ownMember(current.services, service)
    if (now?.wantedCommit !== commitSha) return current
    const failed = now.failure?.commitSha === commitSha ? null : now.failure
    const services = { ...current.services, [service]: { ...now, failure: failed, wantedImage: image } }
    return { ...current, services, retryRequests: current.retryRequests + 1 }
  })
}

function notAwaited({ environment, service }: ImageTarget): Error {
  return failure(
    'IMAGE_NOT_AWAITED',
    `Taking an image of ${service} for ${environment}: it is deployed when its branch is pushed; write \`deploy: { on: image }\` into its service.yaml to have it wait`,
  )
}
