import { describe, expect, it } from 'vitest'
import { branchMatches } from './branch-filter.js'
import { resolveBase } from './base-environment.js'
import { desiredState, expiryOf, type DesiredStateInput, type KnownEnvironment } from './desired-state.js'
import { judgeListing, type RepositoryListing } from './repository-listing.js'

const sha = (digit: string): string => digit.repeat(40)
const listed = (branches: Record<string, string>): RepositoryListing => ({
  state: 'listed',
  branches: new Map(Object.entries(branches)),
})
const unknown: RepositoryListing = { state: 'unknown', reason: 'down' }
const known = (name: string, branch: string, more: Partial<KnownEnvironment> = {}): KnownEnvironment => ({
  name,
  branch,
  generation: 1,
  heads: { shop: sha('a') },
  terminating: false,
  pinned: false,
  lastPushAt: 0,
  ...more,
})
const input = (shop: RepositoryListing, more: Partial<DesiredStateInput> = {}): DesiredStateInput => ({
  repositories: [{ name: 'shop', integrationBranch: 'main', listing: shop }],
  filter: { include: ['**'], exclude: [] },
  known: [],
  suspended: new Map(),
  ttlMs: null,
  now: 1000,
  ...more,
})
const branches = (given: DesiredStateInput): readonly string[] =>
  desiredState(given).wanted.map(({ kind, branch }) => `${kind} ${branch}`)
const gone = (given: DesiredStateInput): readonly string[] =>
  desiredState(given).gone.map(({ name, reason }) => `${name} ${reason}`)

describe('desiredState', () => {
  it('wants integration of each repository’s integration branch, and one environment for each other branch', () => {
    const stock = listed({ develop: sha('b'), 'feature/x': sha('c'), main: sha('d') })
    const state = desiredState(
      input(listed({ main: sha('a'), 'feature/x': sha('e') }), {
        repositories: [
          { name: 'shop', integrationBranch: 'main', listing: listed({ main: sha('a'), 'feature/x': sha('e') }) },
          { name: 'stock', integrationBranch: 'develop', listing: stock },
        ],
      }),
    )
    expect(state.wanted).toEqual([
      { kind: 'integration', branch: 'main, develop', heads: { shop: sha('a'), stock: sha('b') } },
      { kind: 'feature', branch: 'feature/x', heads: { shop: sha('e'), stock: sha('c') } },
      { kind: 'feature', branch: 'main', heads: { stock: sha('d') } },
    ])
  })

  it('takes only branches that are included and not excluded', () => {
    const shop = listed({ main: sha('a'), 'feature/x': sha('b'), 'feature/wip/y': sha('c'), fix: sha('d') })
    expect(branches(input(shop, { filter: { include: ['feature/**'], exclude: ['**/wip/*'] } }))).toEqual([
      'integration main',
      'feature feature/x',
    ])
  })

  it('removes the environment of a branch that is gone, or no longer included, but never integration', () => {
    const shop = listed({ main: sha('a'), 'feature/y': sha('b') })
    const environments = [
      known('integration', 'main'),
      known('feature-x', 'feature/x'),
      known('feature-y', 'feature/y'),
    ]
    expect(gone(input(shop, { known: environments }))).toEqual(['feature-x branch_deleted'])
    const filter = { include: ['other/*'], exclude: [] }
    expect(gone(input(shop, { known: environments, filter }))).toEqual([
      'feature-x branch_excluded',
      'feature-y branch_excluded',
    ])
  })

  it('leaves an environment alone whose repository is not known, with the heads it had', () => {
    const environments = [known('integration', 'main'), known('feature-x', 'feature/x')]
    const state = desiredState(input(unknown, { known: environments }))
    expect(state.gone).toEqual([])
    expect(state.wanted.map(({ branch, heads }) => [branch, heads])).toEqual([
      ['main', { shop: sha('a') }],
      ['feature/x', { shop: sha('a') }],
    ])
  })

  it('keeps an environment of two repositories while one of them is unknown, and until the last is gone', () => {
    const environment = known('feature-x', 'feature/x', { heads: { shop: sha('a'), stock: sha('b') } })
    const at = (shop: RepositoryListing, stock: RepositoryListing): DesiredStateInput =>
      input(shop, {
        known: [environment],
        repositories: [
          { name: 'shop', integrationBranch: 'main', listing: shop },
          { name: 'stock', integrationBranch: 'main', listing: stock },
        ],
      })
    const without = listed({ main: sha('c') })
    expect(gone(at(without, unknown))).toEqual([])
    expect(gone(at(without, listed({ main: sha('c'), 'feature/x': sha('d') })))).toEqual([])
    expect(gone(at(without, without))).toEqual(['feature-x branch_deleted'])
    expect(desiredState(at(without, unknown)).wanted.at(-1)).toEqual({
      kind: 'feature',
      branch: 'feature/x',
      heads: { stock: sha('b') },
    })
  })

  it('says nothing about an environment that is being torn down', () => {
    expect(
      gone(input(listed({ main: sha('a') }), { known: [known('feature-x', 'feature/x', { terminating: true })] })),
    ).toEqual([])
  })

  it('lets a suspended branch rest until somebody pushes', () => {
    const shop = listed({ main: sha('a'), 'feature/x': sha('b') })
    expect(branches(input(shop, { suspended: new Map([['feature/x', { shop: sha('b') }]]) }))).toEqual([
      'integration main',
    ])
    expect(branches(input(shop, { suspended: new Map([['feature/x', { shop: sha('c') }]]) }))).toHaveLength(2)
  })

  it('expires an environment after its time to live, unless it is pinned or was pushed to', () => {
    const shop = listed({ main: sha('a'), 'feature/x': sha('a') })
    const at = (more: Partial<KnownEnvironment>, listing = shop): readonly string[] =>
      gone(input(listing, { known: [known('feature-x', 'feature/x', more)], ttlMs: 1000 }))
    expect(at({})).toEqual(['feature-x expired'])
    expect(branches(input(shop, { known: [known('feature-x', 'feature/x')], ttlMs: 1000 }))).toEqual([
      'integration main',
    ])
    expect(at({ pinned: true })).toEqual([])
    expect(at({ lastPushAt: 1 })).toEqual([])
    expect(at({}, listed({ main: sha('a'), 'feature/x': sha('b') }))).toEqual([])
    expect(expiryOf(known('integration', 'main'), 5)).toBeNull()
  })

  it('wants nothing while nothing is known', () => {
    expect(desiredState(input(unknown))).toEqual({ wanted: [], gone: [] })
  })
})

describe('judgeListing', () => {
  const judge = (branchList: Record<string, string>, hadBranches: boolean): RepositoryListing =>
    judgeListing(new Map(Object.entries(branchList)), { repository: 'shop', integrationBranch: 'main', hadBranches })

  it('believes an answer with the integration branch', () => {
    expect(judge({ main: sha('a') }, true).state).toBe('listed')
  })

  it.each([
    ['no branches where there were some', {}, /lists no branches any more/],
    ['no integration branch', { x: sha('a') }, /lists no branch "main"/],
    ['something that is no commit', { main: sha('a'), x: '<html>' }, /branch "x" at something that is no commit/],
  ])('does not believe %s', (_name, branchList, reason) => {
    const listing = judge(branchList, true)
    expect(listing).toMatchObject({ state: 'unknown', reason: expect.stringMatching(reason) })
  })
})

describe('branchMatches', () => {
  it.each([
    ['**', 'a/b/c', true],
    ['*', 'a', true],
    ['*', 'a/b', false],
    ['feature/*', 'feature/x', true],
    ['feature/*', 'feature/x/y', false],
    ['feature/**', 'feature/x/y', true],
    ['release-?.?', 'release-1.2', true],
    ['release-?', 'release-/', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a.c', 'abc', false],
    ['', '', true],
  ])('%s against %s is %s', (pattern, branch, expected) => {
    expect(branchMatches({ include: [pattern], exclude: [] }, branch)).toBe(expected)
  })

  it('stays fast for a pattern made to be slow', () => {
    const start = process.cpuUsage()
    expect(branchMatches({ include: ['*a'.repeat(100)], exclude: [] }, 'a'.repeat(99) + 'b')).toBe(false)
    expect(process.cpuUsage(start).user).toBeLessThan(2_000_000)
  })
})

describe('resolveBase', () => {
  const context = (declared: Record<string, string>, ...branchesWith: string[]): Parameters<typeof resolveBase>[1] => ({
    declared: new Map(Object.entries(declared)),
    environments: new Map(branchesWith.map((branch) => [branch, `env-${branch}`])),
    integrationBranches: new Set(['main']),
  })

  it.each([
    ['nothing', {}, 'integration', null],
    ['integration', { a: 'integration' }, 'integration', null],
    ['an integration branch', { a: 'main' }, 'integration', null],
    ['another branch', { a: 'b' }, 'env-b', null],
    ['a branch without an environment', { a: 'gone' }, 'integration', 'BaseMissing'],
    ['itself', { a: 'a' }, 'integration', 'BaseCycle'],
    ['a cycle that it is in', { a: 'b', b: 'c', c: 'a' }, 'integration', 'BaseCycle'],
    ['a branch that leads into a cycle of others', { a: 'b', b: 'c', c: 'b' }, 'env-b', null],
  ])('resolves %s', (_name, declared, base, reason) => {
    const resolved = resolveBase('a', context(declared, 'a', 'b', 'c'))
    expect([resolved.base, resolved.problem?.reason ?? null]).toEqual([base, reason])
  })

  it('refuses a chain over eight tenants', () => {
    const names = Array.from({ length: 10 }, (_, index) => `b${index}`)
    const declared = Object.fromEntries(names.slice(1).map((name, index) => [name, names[index] ?? '']))
    const at = (branch: string): string => resolveBase(branch, context(declared, ...names)).problem?.reason ?? 'fine'
    expect(at('b6')).toBe('fine')
    expect(at('b7')).toBe('BaseTooDeep')
  })
})
