import type { Plan, PlanAction } from '@tributary/contract'

/** What an environment should be. */
export interface DesiredEnvironment {
  readonly name: string
  readonly branch: string
  /** `absent` with the reason of the teardown. */
  readonly presence: { readonly state: 'present' } | { readonly state: 'absent'; readonly reason: string }
  readonly base: string | null
  /** Why nothing can be done yet; null when it can. */
  readonly waitingFor: string | null
  /** `image`: what was named to a service that is deployed on image. */
  readonly services: readonly { readonly service: string; readonly commitSha: string; readonly image?: string }[]
  /** Services whose image has not been named. */
  readonly awaiting?: readonly { readonly service: string; readonly commitSha: string }[]
  /** Its services are to be stopped until it is woken. */
  readonly asleep: boolean
  /** Own services that stay as they are because their definition cannot be read now. */
  readonly kept: readonly string[]
  readonly masked: readonly string[]
}

/** An own service as it is. */
export interface ObservedService {
  readonly service: string
  /** Commit of the copy that serves; null when none ever did. */
  readonly commitSha: string | null
  /** The copy is there and its entry leads to it. */
  readonly serving: boolean
  /** Something of it is there: a copy, or an entry that leads to one. */
  readonly present: boolean
  /** A deploy led callers to it, but did not get to its end. */
  readonly unfinished?: boolean
  /** The image that was named to the copy. */
  readonly image?: string | undefined
  /** A person wants it stopped and started again. */
  readonly restartRequested: boolean
  /** A commit whose deploy failed for good: not tried again until something is pushed or asked for. */
  readonly gaveUpOn: string | null
}

/** What an environment is. */
export interface ObservedEnvironment {
  /** `established`: its tenant and space are there. */
  readonly state: 'absent' | 'recorded' | 'established' | 'terminating'
  /** Its last deploy did not get to its end after it had published something: there may be no route yet. */
  readonly unfinished?: boolean
  readonly base: string | null
  readonly services: readonly ObservedService[]
  readonly masked: readonly string[]
}

/**
 * What a reconcile would do, in order, each action with its reason. Pure, and complete: applying the plan leaves nothing to
 * plan. A teardown under way is finished before anything else, whatever is desired by then.
 */
export function plan(desired: DesiredEnvironment, observed: ObservedEnvironment): Plan {
  return { environment: desired.name, branch: desired.branch, actions: actionsOf(desired, observed) }
}

/** A plan as a person reads it, one line an action. */
export function formatPlan({ environment, branch, actions }: Plan): string {
  if (actions.length === 0) return `${environment} (${branch}) is as it should be`
  const lines = actions.map(({ action, service, commitSha, reason }) => {
    const subject = [service, commitSha?.slice(0, 7)].filter((part) => part !== undefined).join(' ')
    return `  ${action}${subject === '' ? '' : ` ${subject}`}: ${reason}`
  })
  return [`${environment} (${branch})`, ...lines].join('\n')
}

function actionsOf(desired: DesiredEnvironment, observed: ObservedEnvironment): PlanAction[] {
  if (observed.state === 'terminating') {
    return [{ action: 'teardown', reason: 'a teardown is under way; it is always finished' }]
  }
  if (desired.presence.state === 'absent') {
    return observed.state === 'absent' ? [] : [{ action: 'teardown', reason: desired.presence.reason }]
  }
  if (desired.asleep) return sleepActions(observed)
  if (desired.waitingFor !== null) return [{ action: 'wait', reason: desired.waitingFor }]
  return [
    ...establishActions(desired, observed),
    ...maskActions(desired, observed),
    ...desired.services.flatMap((wanted) => serviceActions(wanted, observed)),
    ...keptActions(desired, observed),
    ...removalActions(desired, observed),
    ...(desired.awaiting ?? []).map(waitForImage),
  ]
}

function waitForImage({ service, commitSha }: { readonly service: string; readonly commitSha: string }): PlanAction {
  return { action: 'wait', service, commitSha, reason: 'nobody has named its image yet: `tributary deploy` does' }
}

function establishActions(desired: DesiredEnvironment, observed: ObservedEnvironment): PlanAction[] {
  const over = desired.base === null ? 'as a root' : `over ${desired.base}`
  if (observed.state !== 'established') {
    return [{ action: 'create-environment', reason: `branch ${desired.branch} has none yet; its tenant lies ${over}` }]
  }
  if (observed.unfinished === true) return [{ action: 'create-environment', reason: UNFINISHED }]
  if (observed.base === desired.base) return []
  return [{ action: 'set-base', reason: `it lies over ${observed.base ?? 'nothing'} and should lie ${over}` }]
}

function maskActions(desired: DesiredEnvironment, observed: ObservedEnvironment): PlanAction[] {
  const [wanted, present] = [new Set(desired.masked), new Set(observed.masked)]
  const own = new Set(desired.services.map(({ service }) => service))
  return [
    ...desired.masked
      .filter((service) => !present.has(service))
      .map((service): PlanAction => ({ action: 'mask-service', service, reason: 'tributary.yaml hides it' })),
    ...observed.masked
      .filter((service) => !wanted.has(service) && !own.has(service))
      .map((service): PlanAction => ({
        action: 'unmask-service',
        service,
        reason: 'tributary.yaml no longer hides it',
      })),
  ]
}

/** Whatever else has changed waits until it is woken. */
function sleepActions({ services }: ObservedEnvironment): PlanAction[] {
  return services
    .filter(({ present }) => present)
    .map(({ service }) => ({ action: 'stop-service', service, reason: 'the environment is asleep' }))
}

function serviceActions(wanted: DesiredEnvironment['services'][number], observed: ObservedEnvironment): PlanAction[] {
  const { service, commitSha } = wanted
  const now = observed.services.find((one) => one.service === service)
  const isOtherImage = wanted.image !== undefined && now?.image !== undefined && now.image !== wanted.image
  if (now?.commitSha === commitSha && !isOtherImage) return now.serving ? [] : [restart(now, commitSha)]
  if (now?.gaveUpOn === commitSha) return now.commitSha === null || now.serving ? [] : [restart(now, now.commitSha)]
  return [{ action: 'deploy-service', service, commitSha, reason: deployReason(commitSha, now) }]
}

function deployReason(commitSha: string, now: ObservedService | undefined): string {
  if (now === undefined || now.commitSha === null) return 'the branch has its own copy, and none runs yet'
  if (now.commitSha === commitSha) return 'another image of the commit was named'
  return `commit ${now.commitSha.slice(0, 7)} runs, ${commitSha.slice(0, 7)} is wanted`
}

function keptActions(desired: DesiredEnvironment, observed: ObservedEnvironment): PlanAction[] {
  const kept = new Set(desired.kept)
  return observed.services.flatMap((now) =>
    kept.has(now.service) && now.commitSha !== null && !now.serving ? [restart(now, now.commitSha)] : [],
  )
}

function removalActions(desired: DesiredEnvironment, observed: ObservedEnvironment): PlanAction[] {
  const stays = new Set([...desired.services.map(({ service }) => service), ...desired.kept])
  return observed.services
    .filter(({ service }) => !stays.has(service))
    .map(({ service }) => ({ action: 'remove-service', service, reason: 'the branch no longer changes or names it' }))
}

const UNFINISHED = 'its last deploy did not get to its end'

function restart({ service, restartRequested, unfinished }: ObservedService, commitSha: string): PlanAction {
  const lost = unfinished === true ? UNFINISHED : 'its copy is gone, or its entry leads elsewhere'
  const reason = restartRequested ? 'a person asked for it' : lost
  return { action: 'restart-service', service, commitSha, reason }
}
