import type { Plan } from '@tributary/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPlan, plan, type DesiredEnvironment, type ObservedEnvironment, type ObservedService } from './plan.js'

const NAMES = ['a', 'b', 'c', 'd'] as const
const COMMITS = ['1'.repeat(40), '2'.repeat(40), '3'.repeat(40)] as const
const names = fc.uniqueArray(fc.constantFrom(...NAMES))
const commit = fc.constantFrom(...COMMITS)
const image = fc.constantFrom('orders:1', 'orders:2')

const desired: fc.Arbitrary<DesiredEnvironment> = fc
  .record({
    services: fc.uniqueArray(
      fc.record(
        { service: fc.constantFrom(...NAMES), commitSha: commit, image },
        { requiredKeys: ['service', 'commitSha'] },
      ),
      { selector: (one) => one.service },
    ),
    kept: names,
    masked: names,
    base: fc.constantFrom('integration', 'feature-b', null),
    presence: fc.constantFrom<DesiredEnvironment['presence']>(
      { state: 'present' },
      { state: 'present' },
      { state: 'absent', reason: 'branch_deleted' },
    ),
    waitingFor: fc.constantFrom(null, null, null, 'the base'),
    asleep: fc.constantFrom(false, false, false, true),
  })
  .map((given) => {
    const own = new Set<string>(given.services.map(({ service }) => service))
    const kept = given.kept.filter((service) => !own.has(service))
    const masked = given.masked.filter((service) => !own.has(service) && !kept.includes(service))
    return { ...given, kept, masked, name: 'feature-x', branch: 'feature/x' }
  })

const observed: fc.Arbitrary<ObservedEnvironment> = fc.record({
  state: fc.constantFrom('absent', 'recorded', 'established', 'terminating'),
  base: fc.constantFrom('integration', 'feature-b', null),
  services: fc.uniqueArray(
    fc.record({
      service: fc.constantFrom(...NAMES),
      commitSha: fc.option(commit),
      image: fc.option(image, { nil: undefined }),
      serving: fc.boolean(),
      present: fc.boolean(),
      restartRequested: fc.boolean(),
      gaveUpOn: fc.option(commit),
    }),
    { selector: (one) => one.service },
  ),
  masked: names,
})

/** The world after a plan was carried out, with every deploy succeeding. */
function apply(wanted: DesiredEnvironment, before: ObservedEnvironment, { actions }: Plan): ObservedEnvironment {
  let world = before
  for (const { action, service = '', commitSha } of actions) {
    const others = world.services.filter((one) => one.service !== service)
    const fresh: ObservedService = {
      service,
      commitSha: commitSha ?? null,
      serving: true,
      present: true,
      restartRequested: false,
      gaveUpOn: null,
    }
    const previous = world.services.find((one) => one.service === service)
    switch (action) {
      case 'create-environment':
        world = { ...world, state: 'established', base: wanted.base }
        break
      case 'set-base':
        world = { ...world, base: wanted.base }
        break
      case 'deploy-service':
        world = {
          ...world,
          services: [...others, { ...fresh, image: wanted.services.find((one) => one.service === service)?.image }],
          masked: world.masked.filter((one) => one !== service),
        }
        break
      case 'restart-service':
        world = {
          ...world,
          services: [...others, { ...fresh, image: previous?.image, gaveUpOn: previous?.gaveUpOn ?? null }],
        }
        break
      case 'remove-service':
        world = { ...world, services: others }
        break
      case 'stop-service':
        world = {
          ...world,
          services: [...others, ...(previous ? [{ ...previous, serving: false, present: false }] : [])],
        }
        break
      case 'mask-service':
        world = { ...world, masked: [...world.masked, service] }
        break
      case 'unmask-service':
        world = { ...world, masked: world.masked.filter((one) => one !== service) }
        break
      case 'teardown':
        world = { state: 'absent', base: null, services: [], masked: [] }
        break
      case 'wait':
        break
    }
  }
  return world
}

const base: DesiredEnvironment = {
  name: 'feature-x',
  branch: 'feature/x',
  presence: { state: 'present' },
  base: 'integration',
  waitingFor: null,
  asleep: false,
  services: [{ service: 'a', commitSha: COMMITS[0] }],
  kept: [],
  masked: [],
}
const there: ObservedEnvironment = { state: 'established', base: 'integration', services: [], masked: [] }
const actionsOf = (wanted: DesiredEnvironment, world: ObservedEnvironment): readonly string[] =>
  plan(wanted, world).actions.map(({ action, service }) => (service === undefined ? action : `${action} ${service}`))
const serves = (more: Partial<ObservedService> = {}): ObservedEnvironment => ({
  ...there,
  services: [
    {
      service: 'a',
      commitSha: COMMITS[0],
      serving: true,
      present: true,
      restartRequested: false,
      gaveUpOn: null,
      ...more,
    },
  ],
})

describe('plan', () => {
  it('deploys another image of the commit that runs, and waits for one that nobody has named', () => {
    const named = (image: string): DesiredEnvironment => ({
      ...base,
      services: [{ service: 'a', commitSha: COMMITS[0], image }],
    })
    expect(actionsOf(named('a:1'), serves({ image: 'a:1' }))).toEqual([])
    expect(actionsOf(named('a:2'), serves({ image: 'a:1' }))).toEqual(['deploy-service a'])
    const awaiting: DesiredEnvironment = {
      ...base,
      services: [],
      kept: ['a'],
      awaiting: [{ service: 'a', commitSha: COMMITS[1] }],
    }
    expect(actionsOf(awaiting, serves({ image: 'a:1' }))).toEqual(['wait a'])
    expect(actionsOf(awaiting, serves({ image: 'a:1', serving: false }))).toEqual(['restart-service a', 'wait a'])
  })

  it('is empty once it has been applied', () => {
    fc.assert(
      fc.property(desired, observed, (wanted, world) => {
        const after = apply(wanted, world, plan(wanted, world))
        const again = plan(wanted, after).actions.filter(({ action }) => action !== 'wait')
        const follows = world.state === 'terminating' && wanted.presence.state === 'present'
        // After a teardown the branch may want a new generation; nothing else may be left over.
        if (!follows) expect(again).toEqual([])
      }),
      { numRuns: 500 },
    )
  })

  it('is the same for the same world', () => {
    fc.assert(
      fc.property(desired, observed, (wanted, world) => {
        expect(plan(wanted, world)).toEqual(plan(wanted, world))
      }),
    )
  })

  it.each<[string, DesiredEnvironment, ObservedEnvironment, readonly string[]]>([
    ['creates, then deploys', base, { ...there, state: 'recorded' }, ['create-environment', 'deploy-service a']],
    ['does nothing when everything serves', base, serves(), []],
    ['deploys another commit', base, serves({ commitSha: COMMITS[1] }), ['deploy-service a']],
    ['restarts what no longer serves', base, serves({ serving: false }), ['restart-service a']],
    ['does not try again what was given up on', base, serves({ commitSha: COMMITS[1], gaveUpOn: COMMITS[0] }), []],
    [
      'restarts the good copy of what was given up on',
      base,
      serves({ commitSha: COMMITS[1], serving: false, gaveUpOn: COMMITS[0] }),
      ['restart-service a'],
    ],
    [
      'leaves alone what never ran and was given up on',
      base,
      serves({ commitSha: null, serving: false, gaveUpOn: COMMITS[0] }),
      [],
    ],
    ['removes what is no longer wanted', { ...base, services: [] }, serves(), ['remove-service a']],
    ['keeps what cannot be read', { ...base, services: [], kept: ['a'] }, serves(), []],
    [
      'restarts what is kept',
      { ...base, services: [], kept: ['a'] },
      serves({ serving: false }),
      ['restart-service a'],
    ],
    [
      'does a deploy to its end that led callers to a copy and was cut off',
      base,
      { ...serves({ serving: false, unfinished: true }), unfinished: true },
      ['create-environment', 'restart-service a'],
    ],
    [
      'does a deploy without services to its end',
      { ...base, services: [] },
      { ...there, unfinished: true },
      ['create-environment'],
    ],
    ['moves to another base', { ...base, base: 'feature-b' }, serves(), ['set-base']],
    [
      'masks and unmasks',
      { ...base, masked: ['b'] },
      { ...serves(), masked: ['c'] },
      ['mask-service b', 'unmask-service c'],
    ],
    ['waits', { ...base, waitingFor: 'integration' }, { ...there, state: 'recorded' }, ['wait']],
    ['tears down', { ...base, presence: { state: 'absent', reason: 'x' } }, serves(), ['teardown']],
    [
      'stops what runs of a sleeping environment, and nothing else',
      { ...base, asleep: true, masked: ['b'] },
      serves({ commitSha: COMMITS[1] }),
      ['stop-service a'],
    ],
    ['leaves a sleeping environment alone', { ...base, asleep: true }, serves({ serving: false, present: false }), []],
    ['starts what a woken environment had', base, serves({ serving: false, present: false }), ['restart-service a']],
    [
      'tears a sleeping environment down',
      { ...base, asleep: true, presence: { state: 'absent', reason: 'expired' } },
      there,
      ['teardown'],
    ],
    [
      'restarts what a person asked for',
      base,
      serves({ serving: false, restartRequested: true }),
      ['restart-service a'],
    ],
    ['finishes a teardown whatever is wanted by then', base, { ...serves(), state: 'terminating' }, ['teardown']],
    [
      'does nothing about what is not there and not wanted',
      { ...base, presence: { state: 'absent', reason: 'x' } },
      { ...there, state: 'absent' },
      [],
    ],
  ])('%s', (_name, wanted, world, expected) => {
    expect(actionsOf(wanted, world)).toEqual(expected)
  })

  it('prints itself', () => {
    expect(formatPlan(plan(base, { ...there, state: 'recorded' }))).toBe(
      [
        'feature-x (feature/x)',
        '  create-environment: branch feature/x has none yet; its tenant lies over integration',
        '  deploy-service a 1111111: the branch has its own copy, and none runs yet',
      ].join('\n'),
    )
    expect(formatPlan(plan(base, serves()))).toBe('feature-x (feature/x) is as it should be')
    expect(formatPlan(plan({ ...base, base: null }, { ...serves(), base: 'integration' }))).toContain('as a root')
  })
})
