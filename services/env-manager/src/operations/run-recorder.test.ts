import { AppError } from '@tributary/kit'
import type { RevisionedStore, TransactRequest } from '@tributary/store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestBench } from '../reconcile/test-bench.test-support.js'
import { RunRecorder } from './run-recorder.js'
import { claimEnvironment, updateEnvironment } from './state/environments.js'
import { getRun } from './state/runs.js'

/** A store whose writes of a run can be held back, or refused. */
interface HeldStore {
  readonly store: RevisionedStore
  hold(): () => void
  refuse(error: Error): void
  writes: number
}

function holding(store: RevisionedStore): HeldStore {
  let gate: Promise<void> | undefined
  let refusal: Error | undefined
  const held: HeldStore = {
    writes: 0,
    hold: () => {
      let open = (): void => undefined
      gate = new Promise((resolve) => (open = resolve))
      return open
    },
    refuse: (error) => void (refusal = error),
    store: new Proxy(store, {
      get: (target, name) => {
        if (name !== 'transact') {
          const value: unknown = Reflect.get(target, name)
          return typeof value === 'function' ? value.bind(target) : value
        }
        return async (request: TransactRequest) => {
          held.writes += 1
          await gate
          if (refusal !== undefined) throw refusal
          return target.transact(request)
        }
      },
    }),
  }
  return held
}

describe('RunRecorder', () => {
  let bench: TestBench
  let held: HeldStore
  let run: RunRecorder

  beforeEach(async () => {
    bench = await TestBench.open()
    held = holding(bench.store)
    const claim = { kind: 'feature', branch: 'feature/x', heads: { shop: 'a'.repeat(40) }, now: 0 } as const
    const record = await claimEnvironment(bench.store, claim)
    run = await RunRecorder.begin({ ...bench.dependencies(), store: held.store }, record, {
      kind: 'deploy',
      trigger: 'push',
      commits: [],
      steps: ['one', 'two', 'three'].map((name) => ({ name })),
      secrets: () => [],
      change: (current) => ({ ...current, pinned: true }),
    })
    held.writes = 0
  })
  afterEach(() => bench.close())

  const stored = async (): Promise<Record<string, string>> =>
    Object.fromEntries((await getRun(bench.store, run.run.runId)).steps.map(({ name, state }) => [name, state]))

  async function end(): Promise<void> {
    await run.ended('succeeded', undefined)
    await updateEnvironment(bench.store, 'feature-x', (record) => ({
      record: { ...record, currentRunId: null },
      alongside: { mutations: run.mutations() },
    }))
  }

  it('begins with a change of the record in one transaction', async () => {
    expect(await bench.record('feature-x')).toMatchObject({ currentRunId: run.run.runId, pinned: true })
  })

  it('lets no step wait for the store, and writes at once what happened while it wrote', async () => {
    const open = held.hold()
    for (const name of ['one', 'two', 'three']) await run.step({ name }, async () => undefined)
    expect(await stored()).toEqual({ one: 'pending', two: 'pending', three: 'pending' })
    expect(held.writes).toBe(1)
    open()
    await run.close()
    expect(await stored()).toEqual({ one: 'succeeded', two: 'succeeded', three: 'succeeded' })
    expect(held.writes).toBe(2)
  })

  it('shows a step that is under way', async () => {
    await run.step({ name: 'one' }, async () => undefined)
    await run.step({ name: 'two' }, async () => {
      await expect.poll(stored).toEqual({ one: 'succeeded', two: 'running', three: 'pending' })
    })
  })

  it('ends only after earlier writes, none of which can undo the end', async () => {
    const open = held.hold()
    await run.step({ name: 'one' }, async () => undefined)
    const ending = end()
    open()
    await ending
    await run.close()
    expect(await getRun(bench.store, run.run.runId)).toMatchObject({ state: 'succeeded' })
    expect(await stored()).toEqual({ one: 'succeeded', two: 'skipped', three: 'skipped' })
  })

  it('goes no further than one step when the store refuses, as it does for a manager that leads no longer', async () => {
    const refusal = new AppError({ kind: 'failed_precondition', code: 'NOT_LEADER', message: 'another one leads' })
    held.refuse(refusal)
    await run.step({ name: 'one' }, async () => undefined)
    const two = run.step({ name: 'two' }, async () => undefined).catch((error: unknown) => error)
    const reached: string[] = []
    await two
    await run.close()
    await expect(run.step({ name: 'three' }, async () => void reached.push('three'))).rejects.toBe(refusal)
    expect(reached).toEqual([])
  })
})
