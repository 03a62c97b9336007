import type { Environment } from '@tributary/contract'

/** What the list of environments is narrowed to; empty members narrow nothing. */
export interface EnvironmentFilter {
  readonly text: string
  readonly stage: string
  readonly state: string
  readonly repository: string
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

/** Those that the filter lets through, in its order. Every word of the text must occur somewhere in name, branch, services or commits. */
export function filterEnvironments(all: readonly Environment[], filter: EnvironmentFilter): readonly Environment[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean)
  return all
    .filter(
      (one) =>
        (filter.stage === '' || one.stage === filter.stage) &&
        (filter.state === '' || one.phase === filter.state) &&
        (filter.repository === '' || one.repositories.some(({ repository }) => repository === filter.repository)) &&
        (words.length === 0 || matches(one, words)),
    )
    .sort((left, right) => compare(left, right, filter.sort) || (left.name < right.name ? -1 : 1))
}

function matches(environment: Environment, words: readonly string[]): boolean {
  const { name, branch, services, repositories } = environment
  const text = [
    name,
    branch,
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
      return right.lastPushAt.localeCompare(left.lastPushAt)
    case 'state':
      return STATE_ORDER.indexOf(left.phase) - STATE_ORDER.indexOf(right.phase)
    case 'expiry':
      return (left.expiresAt ?? '9999').localeCompare(right.expiresAt ?? '9999')
    case 'name':
      return 0
  }
}
