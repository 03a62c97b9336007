import type { Run } from '@tributary/contract'
import { describe, expect, it } from 'vitest'
import { lastGoodBefore, sameStep } from './last-good.js'

const run = (runId: string, minute: number, given: Partial<Run> = {}): Run => ({
  runId,
  environment: 'feature-x',
  generation: 1,
  kind: 'deploy',
  state: 'succeeded',
  trigger: 'push',
  commits: [],
  startedAt: `2026-01-01T00:0${minute}:00.000Z`,
  finishedAt: null,
  steps: [],
  error: null,
  ...given,
})

describe('the last good run', () => {
  it('is the newest earlier one of the same kind and environment that succeeded', () => {
    const failed = run('failed', 5, { state: 'failed' })
    const runs = [
      run('later', 6),
      failed,
      run('other', 4, { environment: 'feature-y' }),
      run('teardown', 4, { kind: 'teardown' }),
      run('bad', 3, { state: 'failed' }),
      run('good', 2),
      run('older', 1),
    ]
    expect(lastGoodBefore(failed, runs)?.runId).toBe('good')
    expect(lastGoodBefore(run('first', 0), runs)).toBeUndefined()
  })

  it('has a step of the same name and service, or none', () => {
    const step = {
      name: 'deploy',
      service: 'orders',
      state: 'succeeded',
      startedAt: null,
      finishedAt: null,
      message: null,
    } as const
    const good = run('good', 1, { steps: [{ ...step, service: 'web' }, step] })
    expect(sameStep(step, good)).toBe(good.steps[1])
    expect(sameStep({ ...step, name: 'verify' }, good)).toBeUndefined()
    expect(sameStep(step, undefined)).toBeUndefined()
  })
})
