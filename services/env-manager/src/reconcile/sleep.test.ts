import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { requestTeardown } from '../operations/request-teardown.js'
import { requestRedeploy, requestSleep, requestWake } from '../operations/request-sleep.js'
import { ActivityBook } from '../operations/activity-book.js'
import { followRequests } from '../watch/follow-requests.js'
import { definition, eventually, TestBench } from './test-bench.test-support.js'

const HOUR = 3_600_000
let bench: TestBench
let nowMs: number

beforeEach(async () => {
  nowMs = Date.now()
  bench = await TestBench.open({ sleepAfterHours: 4 })
  // Never the same moment twice, as outside of tests: runs are ordered by theirs.
  bench.now = () => (nowMs += 1)
  bench.git.commit('shop', 'main', {
    'orders/service.yaml': definition('orders'),
    'payments/service.yaml': definition('payments'),
  })
  bench.git.commit('shop', 'feature/x', { 'orders/a': '2' }, 'main')
  await bench.start({ ...bench.dependencies(), activity: new ActivityBook(bench.store) })
  await bench.settle()
  await phaseIs('ready')
})

afterEach(() => bench.close())

async function phaseIs(phase: string): Promise<void> {
  await eventually(
    async () => [await bench.phase('feature-x'), await bench.manager.idle()][0],
    (now) => now === phase,
  )
}

async function sleep(): Promise<void> {
  await requestSleep(bench.running, 'feature-x')
  bench.manager.mark('feature-x')
  await eventually(
    () => bench.world.copiesOf('feature-x'),
    (copies) => copies.length === 0,
  )
  await phaseIs('asleep')
}

async function wake(): Promise<void> {
  await requestWake(bench.running, 'feature-x')
  bench.manager.mark('feature-x')
  await phaseIs('ready')
}

const ordersSeen = (): string | undefined => bench.center.seenBy('feature-x')['orders']
const commitOf = (branch: string): string => bench.git.headOf('shop', branch).slice(0, 7)

describe('a sleeping environment', () => {
  it('has nothing that runs; calls fall back, and config, tenant and address stay', async () => {
    bench.center.setDocument('feature-x', 'orders', { size: 7 })
    await sleep()
    expect(bench.world.copiesOf('feature-x')).toEqual([])
    expect(ordersSeen()).toBe(`integration@${commitOf('main')}`)
    expect(bench.center.document('feature-x', 'orders')).toEqual({ size: 7 })
    expect([bench.routes.served.has('feature-x'), bench.routes.suspended.has('feature-x')]).toEqual([true, true])
    const environment = await bench.environment('feature-x')
    expect(environment).toMatchObject({ phase: 'asleep', asleep: { reason: 'requested' } })
    expect(environment?.conditions.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'Asleep',
    })
    const [run] = await bench.runs('feature-x')
    expect([run?.kind, run?.state, run?.trigger]).toEqual(['sleep', 'succeeded', 'request'])
  })

  it('runs as before when it is woken', async () => {
    await sleep()
    await wake()
    expect(bench.world.copiesOf('feature-x')).toEqual([`orders@${commitOf('feature/x')}`])
    expect(ordersSeen()).toBe(`feature-x@${commitOf('feature/x')}`)
    expect(bench.routes.suspended.has('feature-x')).toBe(false)
    expect((await bench.runs('feature-x'))[0]).toMatchObject({ kind: 'deploy', trigger: 'wake', state: 'succeeded' })
  })

  it('goes on serving when it is woken before anything was stopped', async () => {
    bench.routes.suspend = async (environment) => {
      bench.routes.suspended.add(environment)
      await requestWake(bench.running, environment)
    }
    await requestSleep(bench.running, 'feature-x')
    bench.manager.mark('feature-x')
    await eventually(
      async () => [await bench.record('feature-x'), await bench.manager.idle()][0]?.wokenAt ?? 0,
      (wokenAt) => wokenAt > 0,
    )
    await phaseIs('ready')
    expect((await bench.runs('feature-x')).map(({ kind }) => kind)).not.toContain('sleep')
    expect([bench.routes.suspended.size, ordersSeen()]).toEqual([0, `feature-x@${commitOf('feature/x')}`])
  })

  it('is passed on to again when it is woken and has no services of its own', async () => {
    bench.git.commit('shop', 'feature/y', { 'README.md': 'nothing of a service' }, 'main')
    await bench.settle()
    const isY = (phase: string): Promise<unknown> =>
      eventually(
        () => bench.phase('feature-y'),
        (now) => now === phase,
      )
    await isY('ready')
    await requestSleep(bench.running, 'feature-y')
    bench.manager.mark('feature-y')
    await eventually(
      () => bench.routes.suspended,
      (suspended) => suspended.has('feature-y'),
    )
    await requestWake(bench.running, 'feature-y')
    bench.manager.mark('feature-y')
    await isY('ready')
    await eventually(
      () => bench.routes.suspended,
      (suspended) => !suspended.has('feature-y'),
    )
  })

  it('stays asleep whatever its base does, and when the manager starts anew', async () => {
    await sleep()
    bench.git.commit('shop', 'main', { 'orders/b': '3' })
    await bench.settle()
    expect(bench.world.copiesOf('feature-x')).toEqual([])
    await bench.manager.stop()
    bench.routes.suspended.clear()
    await bench.start(bench.running)
    await bench.settle()
    expect([await bench.phase('feature-x'), bench.world.copiesOf('feature-x')]).toEqual(['asleep', []])
    expect(bench.routes.suspended.has('feature-x')).toBe(true)
  })

  it('is put back to sleep when something of it comes up by itself', async () => {
    const [spec] = [...bench.world.workloads.values()].filter(({ environment }) => environment === 'feature-x')
    await sleep()
    if (spec !== undefined) bench.world.workloads.set(spec.workloadId, spec)
    bench.manager.mark('feature-x')
    await eventually(
      () => bench.world.copiesOf('feature-x'),
      (copies) => copies.length === 0,
    )
  })

  it('wakes at a push, at the new commit', async () => {
    await sleep()
    bench.git.commit('shop', 'feature/x', { 'orders/a': '9' })
    await bench.settle()
    await phaseIs('ready')
    expect(bench.world.copiesOf('feature-x')).toEqual([`orders@${commitOf('feature/x')}`])
  })

  it('is torn down like any other, with a receipt for everything', async () => {
    await sleep()
    await requestTeardown(bench.store, 'feature-x', nowMs)
    bench.manager.mark('feature-x')
    await eventually(
      () => bench.record('feature-x'),
      (record) => record === undefined,
    )
    const [receipt] = await bench.receipts('feature-x')
    expect(receipt?.resources.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['tenant', 'token', 'space', 'route']),
    )
  })

  it('goes with its branch', async () => {
    await sleep()
    bench.git.delete('shop', 'feature/x')
    await bench.settle()
    await eventually(
      () => bench.record('feature-x'),
      (record) => record === undefined,
    )
  })
})

describe('putting to sleep', () => {
  it('gives way to somebody who wakes it meanwhile', async () => {
    await requestSleep(bench.running, 'feature-x')
    await requestWake(bench.running, 'feature-x')
    bench.manager.supersede('feature-x', 'woken')
    bench.manager.mark('feature-x')
    await phaseIs('ready')
    expect(ordersSeen()).toBe(`feature-x@${commitOf('feature/x')}`)
  })

  it('ends a deploy that is under way', async () => {
    bench.world.onDeploy = async (_spec, { signal }) => {
      // Never ends by itself.
      await new Promise((_, reject) => {
        if (signal.aborted) reject(signal.reason as Error)
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      })
    }
    bench.git.commit('shop', 'feature/x', { 'orders/a': '9' })
    bench.manager.requestLook()
    await eventually(
      () => bench.phase('feature-x'),
      (phase) => phase === 'deploying',
    )
    await requestSleep(bench.running, 'feature-x')
    bench.manager.supersede('feature-x', 'put to sleep')
    bench.manager.mark('feature-x')
    await phaseIs('asleep')
    expect(bench.world.copiesOf('feature-x')).toEqual([])
  })

  it.each(['integration'])('is refused for %s', async (name) => {
    await expect(requestSleep(bench.running, name)).rejects.toMatchObject({ code: 'ENVIRONMENT_PERMANENT' })
  })
})

describe('an environment that nobody uses', () => {
  const idleCheck = async (): Promise<void> => {
    await bench.manager.stop()
    await bench.start(bench.running)
    await bench.settle()
  }

  it('falls asleep after its time, and a request through the gateway wakes it', async () => {
    nowMs += 4 * HOUR
    await idleCheck()
    await phaseIs('asleep')
    expect((await bench.environment('feature-x'))?.asleep?.reason).toBe('idle')
    const stop = followRequests({ deps: bench.running, mark: (name) => bench.manager.mark(name) })
    for (const listener of bench.routes.listeners) for (const _ of [1, 2, 3]) listener.wanted('feature-x')
    await phaseIs('ready')
    await idleCheck()
    expect(await bench.phase('feature-x')).toBe('ready')
    stop()
  })

  it('stays awake while it is used, also when the manager was restarted in between', async () => {
    const stop = followRequests({ deps: bench.running, mark: (name) => bench.manager.mark(name) })
    nowMs += 3 * HOUR
    for (const listener of bench.routes.listeners) listener.used('feature-x')
    await bench.running.activity?.save(new Set(['feature-x']))
    nowMs += 2 * HOUR
    await bench.manager.stop()
    await bench.start({ ...bench.running, activity: new ActivityBook(bench.store) })
    await bench.settle()
    expect(await bench.phase('feature-x')).toBe('ready')
    nowMs += 2 * HOUR
    await idleCheck()
    await phaseIs('asleep')
    stop()
  })
})

describe('a redeploy', () => {
  it('stops a service and starts it again at the same commit', async () => {
    const before = [...bench.world.workloads.values()].find(({ environment }) => environment === 'feature-x')
    await requestRedeploy(bench.running, { environment: 'feature-x' })
    bench.manager.mark('feature-x')
    await eventually(
      async () => (await bench.runs('feature-x'))[0],
      (run) => run?.trigger === 'restart' && run.state === 'succeeded',
    )
    await phaseIs('ready')
    const after = [...bench.world.workloads.values()].find(({ environment }) => environment === 'feature-x')
    expect(after?.commitSha).toBe(before?.commitSha)
    expect(after?.endpoints).not.toEqual(before?.endpoints)
    expect(bench.center.tenants.get('feature-x')?.entries.get('orders')?.spec.endpoints).toEqual(after?.endpoints)
    expect((await bench.record('feature-x'))?.services['orders']?.restartRequested).toBe(false)
  })

  it('wakes a sleeping environment', async () => {
    await sleep()
    await requestRedeploy(bench.running, { environment: 'feature-x', service: 'orders' })
    bench.manager.mark('feature-x')
    await phaseIs('ready')
  })

  it('knows the services that there are', async () => {
    const asked = requestRedeploy(bench.running, { environment: 'feature-x', service: 'constructor' })
    await expect(asked).rejects.toMatchObject({ code: 'SERVICE_NOT_FOUND' })
  })
})
