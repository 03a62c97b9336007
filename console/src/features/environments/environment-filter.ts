import type { Environment } from '@tributary/contract'

/** What the list of environments is narrowed to; empty members narrow nothing. */
export interface EnvironmentFilter {
  readonly text: string
  readonly stage: string
  readonly state: string
  readonly repository: string
  /** Key of an owner, see {@link ownerKey}. */
  readonly owner: string
  readonly sort: EnvironmentSort
}

/** In which order they are listed. */
export type EnvironmentSort = 'push' | 'name' | 'state' | 'expiry'

/** Trouble first. */
const STATE_ORDER: readonly Environment['phase'][] = [
  'failed',
  'degraded',
  'deploying',
  'pending',
  'terminating',
  'ready',
  'asleep',
]

/** What tells owners apart, and what an address carries: the mail address where there is one, else the name. Empty: nobody. */
export function ownerKey(owner: Environment['owner']): string {
  return (owner?.email ?? owner?.name ?? '').toLowerCase()
}

/** Those that the filter lets through, in its order. Every word of the text must occur somewhere in name, branch, owner, services or commits. */
export function filterEnvironments(all: readonly Environment[], filter: EnvironmentFilter): readonly Environment[] {
  const owner = filter.owner.toLowerCase()
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean)
  return all
    .filter(
      (one) =>
        (filter.stage === '' || one.stage === filter.stage) &&
        (filter.state === '' || one.phase === filter.state) &&
        (owner === '' || ownerKey(one.owner) === owner) &&
        (filter.repository === '' || one.repositories.some(({ repository }) => repository === filter.repository)) &&
        (words.length === 0 || matches(one, words)),
    )
    .sort((left, right) => compare(left, right, filter.sort) || (left.name < right.name ? -1 : 1))
}

function matches(environment: Environment, words: readonly string[]): boolean {
  const { name, branch, services, repositories, owner } = environment
  const text = [
    name,
    branch,
    owner?.name ?? '',
    owner?.email ?? '',
    ...services.map((service) => `${service.name} ${service.version ?? ''}`),
    ...repositories.map(({ repository, commitSha }) => `${repository} ${commitSha}`),
  ]
    .join('\n')
    .toLowerCase()
  return words.every((word) => text.includes(word))
}

function compare(left: Environment, right: Environment, sort: EnvironmentSort): number {
  switch (sort) {
    case 'push':
      return order(right.lastPushAt, left.lastPushAt)
    case 'state':
      return STATE_ORDER.indexOf(left.phase) - STATE_ORDER.indexOf(right.phase)
    case 'expiry':
      return order(left.expiresAt ?? '9999', right.expiresAt ?? '9999')
    case 'name':
      return 0
  }
}

/** By code units: instants are written alike, and a thousand of them are compared ten thousand times. */
function order(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
