import { beforeEach, describe, expect, it } from 'vitest'
import { failure } from '../errors.js'
import { approveRemovals, findBreaker } from '../operations/state/breaker.js'
import { useShop } from './shop-bench.test-support.js'
import { type TestBench } from './test-bench.test-support.js'

let bench: TestBench
const { ready, gone } = useShop((opened) => (bench = opened))

describe('git servers that cannot be believed', () => {
  beforeEach(async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
  })

  it.each([
    [
      'fails',
      () => {
        throw failure('GIT_UNREACHABLE', 'connection reset')
      },
    ],
    ['lists nothing', () => new Map<string, string>()],
    ['lacks the integration branch', () => new Map([['other', 'a'.repeat(40)]])],
    ['names something that is no commit', () => new Map([['main', '<html>']])],
  ])('deletes nothing when one %s', async (_name, answer) => {
    bench.git.answer = answer
    await bench.settle()
    await bench.settle()
    expect(await bench.phase('feature-x')).toBe('ready')
    expect(bench.world.copiesOf('feature-x')).toHaveLength(1)
    expect(bench.manager.status().repositories[0]?.error).toBeTruthy()
  })

  it('deletes nothing when only one of two answers lacks the branch', async () => {
    let answers = 0
    bench.git.answer = (_, branches) => {
      answers += 1
      return answers === 1 ? new Map([...branches].filter(([branch]) => branch === 'main')) : branches
    }
    await bench.settle()
    expect(answers).toBe(2)
    expect(await bench.phase('feature-x')).toBe('ready')
  })

  it('survives a restart while the git server is down: nothing is touched', async () => {
    await bench.manager.stop()
    bench.git.answer = () => {
      throw failure('GIT_UNREACHABLE', 'down')
    }
    await bench.start()
    await bench.settle()
    expect(await bench.phase('feature-x')).toBe('ready')
    expect(bench.world.copiesOf('feature-x')).toHaveLength(1)
  })
})

describe('the deletion breaker', () => {
  it('freezes a mass deletion and lets exactly the approved set go', async () => {
    const branches = Array.from({ length: 7 }, (_, index) => `feature/${index}`)
    for (const branch of branches) bench.git.commit('shop', branch, { 'orders/server.js': branch }, 'main')
    await bench.start()
    await bench.settle()
    for (const index of branches.keys()) await ready(`feature-${index}`)
    for (const branch of branches.slice(0, 6)) bench.git.delete('shop', branch)
    await bench.settle()
    const waiting = await findBreaker(bench.store)
    expect(waiting?.wouldDelete).toHaveLength(6)
    expect(await bench.phase('feature-0')).toBe('ready')
    bench.git.delete('shop', 'feature/6')
    await approveRemovals(bench.store, waiting?.approvalId ?? '')
    await bench.settle()
    expect(await bench.phase('feature-0')).toBe('ready')
    const again = await findBreaker(bench.store)
    expect(again?.wouldDelete).toHaveLength(7)
    await expect(approveRemovals(bench.store, waiting?.approvalId ?? '')).rejects.toMatchObject({
      code: 'APPROVAL_NOT_FOUND',
    })
    await approveRemovals(bench.store, again?.approvalId ?? '')
    await bench.settle()
    for (const index of branches.keys()) await gone(`feature-${index}`)
    expect(await findBreaker(bench.store)).toBeUndefined()
    expect([...bench.world.spaces]).toEqual(['integration'])
  })
})
