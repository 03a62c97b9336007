import type { ServiceDefinition } from '@tributary/contract'
import { describe, expect, it } from 'vitest'
import { definitionConditions, healthConditions } from './environment-conditions.js'
import {
  newEnvironmentRecord,
  phaseOf,
  toEnvironment,
  wantService,
  withPastDeploy,
  type EnvironmentRecord,
  type ServiceRecord,
} from './environment-record.js'
import { triggerOf } from './run-trigger.js'

const COMMIT = 'a'.repeat(40)
const definition: ServiceDefinition = {
  apiVersion: 'tributary/v1',
  kind: 'Service',
  name: 'orders',
  dependsOn: ['stock'],
  expose: { public: true },
}
const identity = { name: 'orders', repository: 'shop', directory: 'orders', wantedCommit: COMMIT, definition }
const deployed = { commitSha: COMMIT, version: 'v1.0-1-aaaaaaa', workloadId: 'w', endpoints: [] }
const record = (more: Partial<EnvironmentRecord> = {}): EnvironmentRecord => ({
  ...newEnvironmentRecord({
    name: 'feature-x',
    branch: 'feature/x',
    stage: 'development',
    generation: 1,
    heads: { shop: COMMIT },
    now: 0,
  }),
  established: true,
  ...more,
})
const service = (more: Partial<ServiceRecord> = {}): ServiceRecord => ({
  ...wantService(undefined, identity),
  deployed,
  health: 'healthy',
  ...more,
})
const withService = (more: Partial<ServiceRecord>): EnvironmentRecord => record({ services: { orders: service(more) } })
const context = { now: 0, generation: 1 }

describe('wantService', () => {
  it('starts with nothing deployed and takes what the definition says', () => {
    expect(wantService(undefined, identity)).toMatchObject({
      deployed: null,
      dependsOn: ['stock'],
      public: true,
      failure: null,
    })
  })

  it('forgets the failure of another commit, keeps that of the same, and keeps what serves', () => {
    const failure = { commitSha: COMMIT, attempts: 1, message: 'x', final: false }
    const before = service({ failure, invalid: 'bad' })
    expect(wantService(before, identity)).toMatchObject({ failure, invalid: null, deployed })
    expect(wantService(before, { ...identity, wantedCommit: 'b'.repeat(40) })).toMatchObject({
      failure: null,
      deployed,
    })
  })
})

describe('withPastDeploy', () => {
  it('keeps the newest twenty, each run once', () => {
    const past = (run: number) => ({ runId: `r${run}`, commitSha: COMMIT, version: 'v', at: run })
    let history: readonly ReturnType<typeof past>[] = []
    for (let run = 0; run < 30; run += 1) history = withPastDeploy(withPastDeploy(history, past(run)), past(run))
    expect(history.map(({ at }) => at)).toEqual(Array.from({ length: 20 }, (_, index) => 29 - index))
  })
})

describe('toEnvironment', () => {
  it.each<[string, Partial<ServiceRecord>, string]>([
    ['deploying', { deploying: true }, 'ready'],
    ['invalid', { invalid: 'a:1:1: x' }, 'degraded'],
    ['failed', { failure: { commitSha: COMMIT, attempts: 1, message: 'x', final: true } }, 'degraded'],
    ['pending', { deployed: null }, 'pending'],
    ['unhealthy', { health: 'unhealthy' }, 'degraded'],
    ['healthy', {}, 'ready'],
    ['pending', { wantedCommit: 'b'.repeat(40) }, 'pending'],
  ])('shows a service as %s', (status, more) => {
    const shown = toEnvironment(withService(more), {
      ttlMs: 1000,
      sleepAfterMs: null,
      lastRequestAt: null,
      urlOf: (name) => `http://x/${name}/`,
    })
    expect(shown.services[0]?.status).toBe(status)
    expect(shown.expiresAt).toBe('1970-01-01T00:00:01.000Z')
    expect(shown.services[0]?.url).toBe(more.deployed === null ? null : 'http://x/orders/')
  })

  it('has no end without a time to live', () => {
    expect(
      toEnvironment(record(), { ttlMs: null, sleepAfterMs: null, lastRequestAt: null, urlOf: () => '' }).expiresAt,
    ).toBeNull()
  })

  it('is degraded while a changed file cannot be read at all', () => {
    const desired = {
      services: [],
      awaiting: [],
      invalid: [{ service: undefined, repository: 'shop', message: 'a/service.yaml:1:1: x' }],
      kept: [],
      masked: [],
      baseBranch: undefined,
      problems: [],
    }
    const conditions = definitionConditions(record(), { desired, problem: null }, context)
    expect(phaseOf(record({ conditions }))).toBe('degraded')
    const good = definitionConditions(
      record({ conditions }),
      { desired: { ...desired, invalid: [] }, problem: null },
      context,
    )
    expect(phaseOf(record({ conditions: good }))).toBe('ready')
  })

  it('is degraded while the branch’s tributary.yaml cannot be used, and not for a base that is still to come', () => {
    const desired = {
      services: [],
      awaiting: [],
      invalid: [],
      kept: [],
      masked: [],
      baseBranch: undefined,
      problems: [],
    }
    const wrong = { ...desired, problems: ['tributary.yaml:3:1: unknown field "maks"'] }
    const ignored = definitionConditions(record(), { desired: wrong, problem: null }, context)
    expect(phaseOf(record({ conditions: ignored }))).toBe('degraded')
    const good = definitionConditions(record({ conditions: ignored }), { desired, problem: null }, context)
    expect(phaseOf(record({ conditions: good }))).toBe('ready')
    const problem = { reason: 'BaseMissing', message: 'no environment of feature/x yet' } as const
    const waiting = definitionConditions(record(), { desired, problem }, context)
    expect(phaseOf(record({ conditions: waiting }))).toBe('ready')
  })

  it('is not ready after it was woken until it has been looked at: its copies may be those that sleep has stopped', () => {
    const asleep = { since: 1, reason: 'requested' as const }
    const sleeping = record({ asleep, conditions: [...healthConditions(record({ asleep }), context)] })
    expect(phaseOf(sleeping)).toBe('asleep')
    const woken = { ...sleeping, asleep: null }
    expect(phaseOf(woken)).toBe('pending')
    expect(phaseOf({ ...woken, conditions: [...healthConditions(woken, context)] })).toBe('ready')
  })
})

describe('healthConditions', () => {
  it.each<[string, Partial<ServiceRecord>, string]>([
    ['Healthy', {}, 'v1.0-1-aaaaaaa serves'],
    ['Unhealthy', { health: 'unhealthy', healthMessage: 'exited with 1' }, 'exited with 1'],
    ['Unhealthy', { health: 'starting' }, 'its copy is not healthy'],
    ['NotDeployed', { deployed: null }, 'no copy runs yet'],
    ['DefinitionInvalid', { invalid: 'a:1:1: x' }, 'a:1:1: x'],
    ['DeployFailed', { failure: { commitSha: COMMIT, attempts: 1, message: 'boom', final: false } }, 'boom'],
    ['GaveUp', { failure: { commitSha: COMMIT, attempts: 3, message: 'boom', final: true } }, 'boom'],
  ])('says %s', (reason, more, message) => {
    const conditions = healthConditions(withService(more), context)
    expect(conditions.find(({ type }) => type === 'ServiceHealthy')).toMatchObject({
      reason,
      message,
      service: 'orders',
    })
    expect(conditions.find(({ type }) => type === 'Ready')?.status).toBe(reason === 'Healthy' ? 'True' : 'False')
  })
})

describe('triggerOf', () => {
  it.each<[string, EnvironmentRecord, readonly Parameters<typeof triggerOf>[1][number]['action'][]]>([
    ['created', record(), ['create-environment', 'deploy-service']],
    ['base-moved', record(), ['set-base']],
    [
      'retry',
      withService({ failure: { commitSha: COMMIT, attempts: 1, message: '', final: false } }),
      ['deploy-service'],
    ],
    ['rollback', withService({ rolledBack: { commitSha: COMMIT, head: COMMIT } }), ['deploy-service']],
    ['health', withService({}), ['restart-service']],
    ['push', withService({}), ['deploy-service']],
    ['push', withService({}), ['mask-service']],
  ])('is %s', (trigger, environment, actions) => {
    expect(
      triggerOf(
        environment,
        actions.map((action) => ({ action, reason: '' })),
      ),
    ).toBe(trigger)
  })
})
