import type { DeltaFrame, SnapshotFrame } from '@tributary/contract'
import { hashItems } from '@tributary/contract/hash'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Channel } from './channel.js'

/** The oracle: every state that the server ever had, by revision, and the deltas between them. */
class History {
  readonly states: ReadonlyMap<string, unknown>[] = [new Map([['chain', ['x']]])]
  /** Revisions at which the channel changed; revision n is `states[n]`. */
  readonly deltas: DeltaFrame[] = []
  #changedAt = 0

  get revision(): number {
    return this.states.length - 1
  }

  state(revision: number): ReadonlyMap<string, unknown> {
    return this.states[revision] ?? new Map<string, unknown>()
  }

  write(changes: ReadonlyMap<string, unknown>): void {
    const next = new Map(this.state(this.revision))
    for (const [key, value] of changes) {
      if (value === null) next.delete(key)
      else next.set(key, value)
    }
    this.states.push(next)
    if (changes.size === 0) return
    this.deltas.push({
      from: String(this.#changedAt),
      to: String(this.revision),
      hash: hashItems(next),
      changes: [...changes].map(([key, value]) => ({ key, value })),
    })
    this.#changedAt = this.revision
  }

  snapshot(revision: number): SnapshotFrame {
    const state = this.state(revision)
    const items = [...state].map(([key, value]) => ({ key, value }))
    return { storeRevision: String(revision), hash: hashItems(state), items }
  }
}

const key = fc.constantFrom('chain', 'service/a', 'service/b', 'config/a', 'config/*', 'weird/é😀')
const value = fc.oneof(
  fc.constant(null),
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(0, -0, 1e21, 'é', '\u2028', [], {}),
)
const write = fc.array(fc.tuple(key, value), { maxLength: 3 }).map((pairs) => new Map<string, unknown>(pairs))

/** JSON turns -0 into 0, as the wire does. */
function onTheWire<T>(frame: T): T {
  return JSON.parse(JSON.stringify(frame)) as T
}

function held(channel: Channel): Record<string, unknown> {
  return Object.fromEntries(channel.items)
}

function truth(history: History, revision: number): unknown {
  return onTheWire(Object.fromEntries(history.state(revision)))
}

describe('a channel against the oracle', () => {
  it('has the server’s state at each of a thousand deltas', () => {
    fc.assert(
      fc.property(fc.array(write, { minLength: 1_000, maxLength: 1_000 }), (writes) => {
        const history = new History()
        const channel = new Channel()
        channel.applySnapshot(onTheWire(history.snapshot(0)))
        let applied = 0
        for (const changes of writes) {
          history.write(changes)
          for (const delta of history.deltas.slice(applied)) {
            expect(channel.applyDelta(onTheWire(delta)).kind).toBe('applied')
          }
          applied = history.deltas.length
        }
        expect(held(channel)).toEqual(truth(history, history.revision))
      }),
      { numRuns: 5 },
    )
  })

  it('is never wrong whatever is lost, repeated, reordered or resent: it has a true state or knows that it has not', () => {
    const event = fc.oneof(
      fc.record({ kind: fc.constant('delta' as const), at: fc.nat(29) }),
      fc.record({ kind: fc.constant('snapshot' as const), at: fc.nat(29) }),
      fc.record({ kind: fc.constant('heartbeat' as const), at: fc.nat(29) }),
    )
    fc.assert(
      fc.property(
        fc.array(write, { minLength: 30, maxLength: 30 }),
        fc.array(event, { maxLength: 60 }),
        (writes, events) => {
          const history = new History()
          for (const changes of writes) history.write(changes)
          const channel = new Channel()
          channel.applySnapshot(onTheWire(history.snapshot(0)))
          let newest = 0
          for (const { kind, at } of events) {
            const delta = history.deltas[at % Math.max(1, history.deltas.length)]
            if (kind === 'snapshot') channel.applySnapshot(onTheWire(history.snapshot(at)))
            else if (kind === 'delta' && delta !== undefined) channel.applyDelta(onTheWire(delta))
            // A heartbeat is only sent by a server that has sent everything, so it may only name what is held.
            else if (kind === 'heartbeat' && channel.hash === hashItems(history.state(at))) channel.advance(BigInt(at))
            const revision = Number(channel.revision)
            expect(revision).toBeGreaterThanOrEqual(newest)
            newest = revision
            expect(held(channel)).toEqual(truth(history, revision))
            expect([undefined, hashItems(history.state(revision))]).toContain(channel.hash)
          }
        },
      ),
      { numRuns: 150 },
    )
  })

  it('goes back in no order of frames', () => {
    fc.assert(
      fc.property(
        fc.array(write, { minLength: 10, maxLength: 10 }),
        fc.array(fc.nat(9), { maxLength: 30 }),
        (writes, order) => {
          const history = new History()
          for (const changes of writes) history.write(changes)
          const channel = new Channel()
          let newest = -1n
          for (const at of order) {
            channel.applySnapshot(onTheWire(history.snapshot(at)))
            expect(channel.revision ?? -1n).toBeGreaterThanOrEqual(newest)
            newest = channel.revision ?? -1n
          }
        },
      ),
    )
  })

  it('drops repeated deltas, even one that would fit because a value went back to what it was', () => {
    const history = new History()
    for (const size of [1, 2, 1]) history.write(new Map([['config/a', { size }]]))
    const channel = new Channel()
    channel.applySnapshot(onTheWire(history.snapshot(1)))
    for (const delta of history.deltas.slice(1)) expect(channel.applyDelta(onTheWire(delta)).kind).toBe('applied')
    for (const delta of history.deltas) expect(channel.applyDelta(onTheWire(delta))).toEqual({ kind: 'unchanged' })
    expect(channel.revision).toBe(3n)
    expect(held(channel)).toEqual(truth(history, 3))
  })

  it('leaves everything as it was when a frame is damaged', () => {
    fc.assert(
      fc.property(write, fc.nat(63), (changes, at) => {
        const history = new History()
        fc.pre(changes.size > 0)
        history.write(changes)
        const channel = new Channel()
        channel.applySnapshot(onTheWire(history.snapshot(0)))
        const [delta] = history.deltas
        if (delta === undefined) return
        const digit = delta.hash[at] === '0' ? '1' : '0'
        const damaged = { ...delta, hash: delta.hash.slice(0, at) + digit + delta.hash.slice(at + 1) }
        expect(channel.applyDelta(onTheWire(damaged))).toEqual({ kind: 'hash_mismatch' })
        expect(held(channel)).toEqual(truth(history, 0))
        expect(channel.hash).toBeUndefined()
        expect(channel.applyDelta(onTheWire(delta))).toEqual({ kind: 'gap' })
        expect(channel.applySnapshot(onTheWire(history.snapshot(1))).kind).toBe('applied')
        expect(held(channel)).toEqual(truth(history, 1))
      }),
    )
  })
})
