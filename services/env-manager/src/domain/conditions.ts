import type { Condition, EnvironmentPhase, EnvironmentService } from '@tributary/contract'

/** A condition as it is found now, without the history that {@link setCondition} adds. */
export type ConditionFinding = Omit<Condition, 'lastTransitionAt' | 'observedGeneration'>

/** Which moment and generation a finding belongs to. */
export interface FindingContext {
  /** Epoch milliseconds. */
  readonly now: number
  readonly generation: number
}

/**
 * Sets one condition (by type and service). `lastTransitionAt` moves only when the status changes, as in Kubernetes; reason
 * and message are always the newest. Ordered by type, then service.
 */
export function setCondition(
  conditions: readonly Condition[],
  finding: ConditionFinding,
  context: FindingContext,
): readonly Condition[] {
  const same = (one: Condition): boolean => one.type === finding.type && one.service === finding.service
  const before = conditions.find(same)
  const kept = before !== undefined && before.status === finding.status
  const lastTransitionAt = kept ? before.lastTransitionAt : new Date(context.now).toISOString()
  const next: Condition = { ...finding, observedGeneration: context.generation, lastTransitionAt }
  return [...conditions.filter((one) => !same(one)), next].sort(byTypeThenService)
}

/** Replaces all conditions of a type: those no longer found go, those found keep their transition times. */
export function replaceConditions(
  conditions: readonly Condition[],
  { type, findings }: { readonly type: string; readonly findings: readonly Omit<ConditionFinding, 'type'>[] },
  context: FindingContext,
): readonly Condition[] {
  const services = new Set(findings.map((finding) => finding.service))
  const kept = conditions.filter((condition) => condition.type !== type || services.has(condition.service))
  return findings.reduce<readonly Condition[]>((all, finding) => setCondition(all, { ...finding, type }, context), kept)
}

/** Reason of `Ready` while an environment is asleep. */
export const ASLEEP_REASON = 'Asleep'

/** What the phase is derived from. */
export interface PhaseInput {
  readonly terminating: boolean
  readonly asleep: boolean
  readonly deploying: boolean
  /** The tenant is registered: the environment exists for the config center. */
  readonly established: boolean
  /** A definition that the branch changed, or its `tributary.yaml`, cannot be used, and names no service that would bear it. */
  readonly unreadable: boolean
  readonly services: readonly Pick<EnvironmentService, 'status' | 'deployedCommit' | 'wantedCommit'>[]
}

/** The phase of an environment; the table is in the contract (`ENVIRONMENT_PHASES`). */
export function derivePhase({
  terminating,
  asleep,
  deploying,
  established,
  unreadable,
  services,
}: PhaseInput): EnvironmentPhase {
  if (terminating) return 'terminating'
  if (deploying) return 'deploying'
  if (asleep) return 'asleep'
  const wrong = services.filter((service) => ['failed', 'invalid', 'unhealthy'].includes(service.status))
  if (wrong.some((service) => service.deployedCommit === null)) return 'failed'
  if (wrong.length > 0 || (established && unreadable)) return 'degraded'
  const done = services.every((service) => service.status === 'healthy' && service.deployedCommit !== null)
  return established && done ? 'ready' : 'pending'
}

function byTypeThenService(left: Condition, right: Condition): number {
  const [a, b] = [`${left.type}\n${left.service ?? ''}`, `${right.type}\n${right.service ?? ''}`]
  return a < b ? -1 : a > b ? 1 : 0
}
