/** Which branches get an environment. */
export interface BranchFilter {
  /** Patterns of which at least one must match. */
  readonly include: readonly string[]
  /** Patterns of which none may match; they win over `include`. */
  readonly exclude: readonly string[]
}

/** True when the branch gets an environment. `*` matches within a path segment, `**` across segments, `?` one character. */
export function branchMatches(filter: BranchFilter, branch: string): boolean {
  const matches = (pattern: string): boolean => patternMatches(pattern, branch)
  return filter.include.some(matches) && !filter.exclude.some(matches)
}

/** Glob match by dynamic programming: linear in pattern times text, so that no pattern can be made to run for long. */
function patternMatches(pattern: string, text: string): boolean {
  let reached = new Set([0])
  for (const token of tokensOf(pattern)) {
    const next = new Set<number>()
    for (const at of reached) for (const end of endsOf(token, text, at)) next.add(end)
    reached = next
  }
  return reached.has(text.length)
}

function tokensOf(pattern: string): readonly string[] {
  return pattern.match(/\*\*|[\s\S]/g) ?? []
}

function endsOf(token: string, text: string, at: number): readonly number[] {
  if (token === '*' || token === '**') {
    const slash = token === '*' ? text.indexOf('/', at) : -1
    const last = slash === -1 ? text.length : slash
    return Array.from({ length: last - at + 1 }, (_, step) => at + step)
  }
  const next = text[at]
  return next !== undefined && (token === next || (token === '?' && next !== '/')) ? [at + 1] : []
}
