import { afterEach, describe, expect, it } from 'vitest'
import { KeyedLoop, type ReconcileResult } from './keyed-loop.js'
import { eventually, gate } from './test-bench.test-support.js'

const loops: KeyedLoop[] = []
afterEach(async () => {
  await Promise.all(loops.splice(0).map((loop) => loop.stop()))
})

function start(
  reconcile: (key: string) => Promise<ReconcileResult>,
  concurrency = 2,
): { loop: KeyedLoop; errors: string[] } {
  const errors: string[] = []
  const onError = (key: string, error: unknown, retryInMs: number): void => {
    errors.push(`${key} ${error instanceof Error ? error.message : ''} ${retryInMs}`)
  }
  const loop = new KeyedLoop({
    concurrency,
    reconcile,
    onError,
    backoff: { initialMs: 10, maxMs: 40 },
    random: () => 0.999,
  })
  loops.push(loop)
  return { loop, errors }
}

describe('KeyedLoop', () => {
  it('joins marks of a key that waits, and looks once more at one that was marked while it was looked at', async () => {
    const first = gate()
    let looks = 0
    const { loop } = start(async () => {
      looks += 1
      await first.opened
      return {}
    })
    loop.mark('a')
    await eventually(
      () => looks,
      (now) => now === 1,
    )
    for (let times = 0; times < 5; times += 1) loop.mark('a')
    expect(loop.running()).toEqual(['a'])
    first.open()
    await loop.idle()
    expect(looks).toBe(2)
  })

  it('never looks at one key twice at a time, and shows who waits for room', async () => {
    const hold = gate()
    const active = new Map<string, number>()
    let overlap = 0
    const { loop } = start(async (key) => {
      active.set(key, (active.get(key) ?? 0) + 1)
      overlap = Math.max(overlap, active.get(key) ?? 0)
      await hold.opened
      active.set(key, (active.get(key) ?? 1) - 1)
      return {}
    })
    for (const key of ['a', 'b', 'c', 'd', 'a', 'c']) loop.mark(key)
    await eventually(
      () => loop.running(),
      (running) => running.length === 2,
    )
    expect(loop.queued()).toEqual(['c', 'd'])
    hold.open()
    await loop.idle()
    expect(overlap).toBe(1)
    expect(loop.queued()).toEqual([])
  })

  it('gives the room of a look that waits aside to another key, and takes it back', async () => {
    const held = gate()
    const hold = gate()
    const looked: string[] = []
    const { loop } = start(async (key) => {
      if (key === 'stuck') await loop.aside(() => held.opened)
      else await hold.opened
      looked.push(key)
      return {}
    }, 1)
    for (const key of ['stuck', 'a', 'b']) loop.mark(key)
    await eventually(
      () => loop.running(),
      (running) => running.includes('a'),
    )
    expect([loop.running(), loop.queued()]).toEqual([['stuck', 'a'], ['b']])
    held.open()
    await eventually(
      () => looked,
      ([first]) => first === 'stuck',
    )
    expect([loop.running(), loop.queued()]).toEqual([['a'], ['b']])
    hold.open()
    await loop.idle()
    expect(looked).toEqual(['stuck', 'a', 'b'])
  })

  it('takes the room back of a look whose waiting failed', async () => {
    const hold = gate()
    const { loop, errors } = start(async (key) => {
      if (key === 'stuck') await loop.aside(() => Promise.reject(new Error('held')))
      await hold.opened
      return {}
    }, 1)
    loop.mark('stuck')
    await eventually(
      () => errors.length,
      (count) => count > 0,
    )
    for (const key of ['a', 'b']) loop.mark(key)
    await eventually(
      () => loop.running(),
      (running) => running.includes('a'),
    )
    expect(loop.queued()).toContain('b')
    hold.open()
    await loop.idle()
  })

  it('tries a failing key again with growing delays, and the others at once', async () => {
    let failures = 0
    const seen: string[] = []
    const { loop, errors } = start(async (key) => {
      if (key === 'bad' && failures++ < 4) throw new Error('no')
      seen.push(key)
      return {}
    })
    loop.mark('bad')
    loop.mark('good')
    await eventually(
      () => seen.length,
      (count) => count === 2,
    )
    expect(seen).toEqual(['good', 'bad'])
    expect(errors).toEqual(['bad no 10', 'bad no 20', 'bad no 40', 'bad no 40'])
  })

  it('is not idle while a look has said that the next one is due at once', async () => {
    let looks = 0
    const { loop } = start(async () => {
      looks += 1
      return looks < 3 ? { requeueAfterMs: 0 } : {}
    })
    loop.mark('a')
    await loop.idle()
    expect(looks).toBe(3)
  })

  it('looks again when asked to, without counting it as a failure', async () => {
    let looks = 0
    const { loop, errors } = start(async () => {
      looks += 1
      return looks < 3 ? { requeueAfterMs: 1 } : {}
    })
    loop.mark('a')
    await eventually(
      () => looks,
      (now) => now === 3,
    )
    await loop.idle()
    expect([looks, errors]).toEqual([3, []])
  })

  it('keeps the earlier of two times, and comes at once when marked', async () => {
    let looks = 0
    const { loop } = start(async () => {
      looks += 1
      return {}
    })
    loop.markAfter('a', 5)
    loop.markAfter('a', 60_000)
    await eventually(
      () => looks,
      (now) => now === 1,
    )
    loop.markAfter('a', 60_000)
    loop.reset('a')
    await loop.idle()
    expect(looks).toBe(2)
  })

  it('takes nothing after it was stopped', async () => {
    let looks = 0
    const { loop } = start(async () => {
      looks += 1
      return {}
    })
    loop.markAfter('a', 5)
    await loop.stop()
    loop.mark('a')
    loop.markAfter('a', 0)
    await loop.idle()
    expect(looks).toBe(0)
  })
})
