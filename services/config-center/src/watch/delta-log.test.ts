import { expect, it } from 'vitest'
import { DeltaBudget, DeltaLog, type DeltaLogLimits, type LoggedDelta } from './delta-log.js'
import { Frame } from './frame.js'

const ROOMY: DeltaLogLimits = { maxDeltas: 100, maxChars: 1_000, maxTotalChars: 10_000 }

/** A delta of ten characters. */
const delta = (to: bigint): LoggedDelta => ({ to, hash: `h${to}`, frame: new Frame('view.delta', '0123456789', to) })

function logOf(limits: DeltaLogLimits, revisions: readonly bigint[], budget = new DeltaBudget(limits)): DeltaLog {
  const log = new DeltaLog(budget, { revision: 1n, hash: 'h1' })
  for (const to of revisions) log.append(delta(to))
  return log
}

const missed = (log: DeltaLog, revision: bigint, hash?: string) => log.since(revision, hash)?.map(({ to }) => to)

it('gives what comes after a revision, also one between two deltas', () => {
  const log = logOf(ROOMY, [3n, 5n, 8n])
  expect([1n, 2n, 3n, 4n, 7n, 8n, 9n].map((revision) => missed(log, revision))).toEqual([
    [3n, 5n, 8n],
    [3n, 5n, 8n],
    [5n, 8n],
    [5n, 8n],
    [8n],
    [],
    [],
  ])
})

it('gives nothing before its start, and nothing to whoever has another hash than it had then', () => {
  const log = logOf(ROOMY, [3n, 5n])
  expect(missed(log, 0n)).toBeUndefined()
  expect(missed(log, 4n, 'h3')).toEqual([5n])
  expect(missed(log, 2n, 'h1')).toEqual([3n, 5n])
  expect(missed(log, 4n, 'other')).toBeUndefined()
})

it('goes on after the state that the hash names when the receiver has got further than its cursor says', () => {
  const log = logOf(ROOMY, [3n, 5n, 8n])
  expect([missed(log, 2n, 'h3'), missed(log, 2n, 'h5'), missed(log, 2n, 'h8')]).toEqual([[5n, 8n], [8n], []])
  expect(missed(log, 6n, 'h3')).toBeUndefined()
})

it('forgets the oldest beyond its number or its size, and then starts after them', () => {
  const few = logOf({ ...ROOMY, maxDeltas: 2 }, [3n, 5n, 8n])
  const small = logOf({ ...ROOMY, maxChars: 25 }, [3n, 5n, 8n])
  for (const log of [few, small]) expect([missed(log, 2n), missed(log, 3n)]).toEqual([undefined, [5n, 8n]])
})

it('forgets the oldest of all logs beyond the common budget', () => {
  const budget = new DeltaBudget({ ...ROOMY, maxTotalChars: 40 })
  const first = logOf(ROOMY, [2n, 3n], budget)
  const second = logOf(ROOMY, [4n, 5n, 6n], budget)
  expect(budget.totalChars).toBe(40)
  expect([missed(first, 1n), missed(first, 2n), missed(second, 1n)]).toEqual([undefined, [3n], [4n, 5n, 6n]])
  second.clear()
  expect(budget.totalChars).toBe(10)
})
