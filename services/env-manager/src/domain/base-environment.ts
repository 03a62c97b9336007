import { INTEGRATION_TENANT, MAX_CHAIN_LENGTH } from '@tributary/contract'

/** What the environment of a branch overlays, and what is wrong with what the branch asked for. */
export interface ResolvedBase {
  readonly base: string
  readonly problem: { readonly reason: 'BaseMissing' | 'BaseCycle' | 'BaseTooDeep'; readonly message: string } | null
}

/** What the other branches say. */
export interface BaseContext {
  /** The branch that each branch names as its base; branches that name none are absent. */
  readonly declared: ReadonlyMap<string, string>
  /** Environment names by branch, without integration's. */
  readonly environments: ReadonlyMap<string, string>
  readonly integrationBranches: ReadonlySet<string>
}

/**
 * Resolves the base of stacked branches. Whatever cannot be had (a branch without an environment, a cycle that contains this
 * branch, a chain over 8) falls back to integration and is told as a problem; the environment still works.
 */
export function resolveBase(branch: string, context: BaseContext): ResolvedBase {
  const wanted = context.declared.get(branch)
  if (wanted === undefined || isIntegration(wanted, context)) return { base: INTEGRATION_TENANT, problem: null }
  const environment = context.environments.get(wanted)
  if (environment === undefined || wanted === branch) {
    return wanted === branch
      ? onIntegration('BaseCycle', `branch "${branch}" names itself as its base; remove "base" from tributary.yaml`)
      : onIntegration('BaseMissing', `the base branch "${wanted}" has no environment; push it or correct "base"`)
  }
  const chain = chainFrom(branch, context)
  if (chain.at(-1) === branch) {
    return onIntegration('BaseCycle', `the bases form a cycle: ${[branch, ...chain].join(' -> ')}; correct one "base"`)
  }
  if (chain.length + 2 > MAX_CHAIN_LENGTH) {
    return onIntegration(
      'BaseTooDeep',
      `more than ${MAX_CHAIN_LENGTH} environments would be stacked; use a nearer base`,
    )
  }
  return { base: environment, problem: null }
}

/** The branches above `branch`, nearest first, up to integration, a missing one or the first repetition (which is included). */
function chainFrom(branch: string, context: BaseContext): readonly string[] {
  const chain: string[] = []
  const seen = new Set<string>()
  let next = context.declared.get(branch)
  while (next !== undefined && !isIntegration(next, context) && context.environments.has(next)) {
    chain.push(next)
    if (next === branch || seen.has(next)) break
    seen.add(next)
    next = context.declared.get(next)
  }
  return chain
}

function isIntegration(branch: string, { integrationBranches }: BaseContext): boolean {
  return branch === INTEGRATION_TENANT || integrationBranches.has(branch)
}

function onIntegration(reason: 'BaseMissing' | 'BaseCycle' | 'BaseTooDeep', message: string): ResolvedBase {
  return { base: INTEGRATION_TENANT, problem: { reason, message } }
}
