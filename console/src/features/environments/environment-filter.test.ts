import type { Environment } from '@tributary/contract'
import { describe, expect, it } from 'vitest'
import { filterEnvironments, type EnvironmentFilter } from './environment-filter.js'

const NONE: EnvironmentFilter = { text: '', stage: '', state: '', repository: '', owner: '', sort: 'name' }

function environment(name: string, given: Partial<Environment> = {}): Environment {
  return {
    name,
    branch: `feature/${name}`,
    stage: 'development',
    base: 'integration',
    generation: 1,
    phase: 'ready',
    pinned: false,
    createdAt: '2026-01-01T00:00:00.000Z',
    lastPushAt: '2026-01-01T00:00:00.000Z',
    owner: { name: 'Ann Lee', email: 'ann@example.org' },
    expiresAt: null,
    asleep: null,
    lastRequestAt: null,
    sleepsAt: null,
    repositories: [{ repository: 'shop', commitSha: 'a'.repeat(40) }],
    services: [],
    masked: [],
    conditions: [],
    url: null,
    currentRunId: null,
    lastRunId: null,
    ...given,
  }
}

describe('the list of environments', () => {
  const all = [
    environment('b', { phase: 'failed', lastPushAt: '2026-01-03T00:00:00.000Z' }),
    environment('a', { stage: 'integration', expiresAt: '2026-02-01T00:00:00.000Z' }),
    environment('c', {
      owner: { name: 'Bob', email: null },
      repositories: [{ repository: 'Payments', commitSha: 'f00dbeef'.repeat(5) }],
    }),
  ]
  const names = (filter: Partial<EnvironmentFilter>): string[] =>
    filterEnvironments(all, { ...NONE, ...filter }).map(({ name }) => name)

  it('is ordered by name, last push, trouble, or what ends first', () => {
    expect(names({})).toEqual(['a', 'b', 'c'])
    expect(names({ sort: 'push' })).toEqual(['b', 'a', 'c'])
    expect(names({ sort: 'state' })).toEqual(['b', 'a', 'c'])
    expect(names({ sort: 'expiry' })).toEqual(['a', 'b', 'c'])
  })

  it('is narrowed by state, stage and repository together', () => {
    expect(names({ state: 'ready' })).toEqual(['a', 'c'])
    expect(names({ state: 'ready', stage: 'development' })).toEqual(['c'])
    expect(names({ repository: 'Payments' })).toEqual(['c'])
    expect(names({ owner: 'ANN@example.org' })).toEqual(['a', 'b'])
    expect(names({ owner: 'bob' })).toEqual(['c'])
    expect(names({ owner: 'bob', state: 'failed' })).toEqual([])
  })

  it('finds every word somewhere in names, branches, repositories and commits, whatever the case', () => {
    expect(names({ text: 'FEATURE/a' })).toEqual(['a'])
    expect(names({ text: 'payments f00dbeef' })).toEqual(['c'])
    expect(names({ text: 'payments nothing' })).toEqual([])
  })
})
