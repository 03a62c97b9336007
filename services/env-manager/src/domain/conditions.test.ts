import { describe, expect, it } from 'vitest'
import { derivePhase, replaceConditions, setCondition, type PhaseInput } from './conditions.js'

const at = (now: number, generation = 1): { now: number; generation: number } => ({ now, generation })
const ready = (status: 'True' | 'False', message: string) => ({ type: 'Ready', status, reason: 'R', message })

describe('setCondition', () => {
  it('moves the transition time only with the status', () => {
    const first = setCondition([], ready('False', 'a'), at(1000))
    const second = setCondition(first, ready('False', 'b'), at(2000, 2))
    const third = setCondition(second, ready('True', 'c'), at(3000))
    expect(first[0]?.lastTransitionAt).toBe('1970-01-01T00:00:01.000Z')
    expect(second[0]).toMatchObject({
      message: 'b',
      observedGeneration: 2,
      lastTransitionAt: '1970-01-01T00:00:01.000Z',
    })
    expect(third[0]?.lastTransitionAt).toBe('1970-01-01T00:00:03.000Z')
  })

  it('keeps one condition for each type and service, in order', () => {
    const of = (service: string) => ({
      type: 'ServiceHealthy',
      status: 'True' as const,
      reason: 'R',
      message: '',
      service,
    })
    const all = [of('b'), of('a'), ready('True', ''), of('a')].reduce<ReturnType<typeof setCondition>>(
      (conditions, one) => setCondition(conditions, one, at(1)),
      [],
    )
    expect(all.map(({ type, service }) => `${type} ${service ?? ''}`)).toEqual([
      'Ready ',
      'ServiceHealthy a',
      'ServiceHealthy b',
    ])
  })
})

describe('replaceConditions', () => {
  it('drops those of the type that are no longer found, and leaves other types alone', () => {
    const finding = (service: string) => ({ service, status: 'False' as const, reason: 'R', message: '' })
    const before = replaceConditions(
      setCondition([], ready('True', ''), at(1)),
      { type: 'T', findings: [finding('a'), finding('b')] },
      at(1),
    )
    const after = replaceConditions(before, { type: 'T', findings: [finding('b')] }, at(2))
    expect(after.map(({ type, service }) => `${type} ${service ?? ''}`)).toEqual(['Ready ', 'T b'])
    expect(after[1]?.lastTransitionAt).toBe('1970-01-01T00:00:00.001Z')
  })
})

describe('derivePhase', () => {
  const c = '1'.repeat(40)
  const service = (status: PhaseInput['services'][number]['status'], deployedCommit: string | null = c) => ({
    status,
    deployedCommit,
    wantedCommit: c,
  })
  const input = (more: Partial<PhaseInput>): PhaseInput => ({
    terminating: false,
    asleep: false,
    deploying: false,
    established: true,
    unreadable: false,
    services: [],
    ...more,
  })

  it.each<[string, Partial<PhaseInput>]>([
    ['terminating', { terminating: true, deploying: true }],
    ['deploying', { deploying: true, services: [service('failed', null)] }],
    ['deploying', { deploying: true, asleep: true }],
    ['asleep', { asleep: true, services: [service('unhealthy')] }],
    ['terminating', { terminating: true, asleep: true }],
    ['pending', { established: false }],
    ['pending', { services: [service('pending', null)] }],
    ['ready', {}],
    ['ready', { services: [service('healthy')] }],
    ['degraded', { services: [service('healthy'), service('failed')] }],
    ['degraded', { services: [service('unhealthy')] }],
    ['degraded', { services: [service('invalid')] }],
    ['degraded', { unreadable: true }],
    ['failed', { services: [service('failed', null), service('healthy')] }],
    ['failed', { services: [service('invalid', null)] }],
  ])('is %s', (phase, more) => {
    expect(derivePhase(input(more))).toBe(phase)
  })
})
