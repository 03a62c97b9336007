import { describe, expect, it } from 'vitest'
import type { ChartRevision } from '../../../ports/chart-releases.js'
import { findRevision, workloadOf } from './retire-workloads.js'

const revision = (
  helmRevision: number,
  description: string,
  state: ChartRevision['state'] = 'superseded',
): ChartRevision => ({
  helmRevision,
  description,
  state,
  appliedAt: 0,
})

describe('the workload of a revision', () => {
  const history = [
    revision(5, 'Rollback to 4', 'deployed'),
    revision(4, 'Rollback to 1'),
    revision(3, 'workload c', 'failed'),
    revision(2, 'workload b'),
    revision(1, 'workload a'),
  ]

  it('is followed through any number of rollbacks', () => {
    expect(history.map((one) => workloadOf(history, one))).toEqual(['a', 'a', 'c', 'b', 'a'])
  })

  it('is found at its newest revision that got through', () => {
    expect(findRevision(history, 'a')?.helmRevision).toBe(5)
    expect(findRevision(history, 'b')?.helmRevision).toBe(2)
    expect(findRevision(history, 'c')).toBeUndefined()
    expect(findRevision(history, 'd')).toBeUndefined()
  })

  it('is unknown when helm no longer has what was rolled back to, or describes something else', () => {
    expect(workloadOf([], revision(9, 'Rollback to 2'))).toBeUndefined()
    expect(workloadOf([], revision(9, 'Rollback to 9'))).toBeUndefined()
    expect(workloadOf([], revision(9, 'Upgrade complete'))).toBeUndefined()
  })
})
