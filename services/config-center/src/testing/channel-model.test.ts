import type { DeltaFrame, SnapshotFrame } from '@tributary/contract'
import { hashItems } from '@tributary/contract/hash'
import { expect, it } from 'vitest'
import { ChannelModel } from './channel-model.test-support.js'
import { contradictions, type Timeline } from './view-oracle.test-support.js'

/** A view whose first item changes at each of the revisions 1 to 5, and whose second one changes at revision 3 only. */
const items = (revision: number): [string, unknown][] => [
  ['config/a', { revision }],
  ['config/b', { revision: revision < 3 ? 1 : 3 }],
]
const timeline: Timeline = { at: (revision) => hashItems(items(Number(revision))) }
const snapshot: SnapshotFrame = {
  storeRevision: '1',
  hash: hashItems(items(1)),
  items: items(1).map(([key, value]) => ({ key, value })),
}
const delta = (to: number): DeltaFrame => ({
  from: `${to - 1}`,
  to: `${to}`,
  hash: hashItems(items(to)),
  changes: items(to)
    .filter(([key]) => key === 'config/a' || to === 3)
    .map(([key, value]) => ({ key, value })),
})

/** All that the checkers of the stream tests have to say against a course of deltas, ended by a heartbeat at 5. */
function complaints(deltas: readonly DeltaFrame[]): string[] {
  const model = new ChannelModel()
  model.snapshot(snapshot)
  for (const each of deltas) model.delta(each)
  model.upTo(5n)
  return [...model.violations, ...contradictions(model.states, timeline)]
}

it('finds nothing wrong with a faithful stream', () => {
  expect(complaints([2, 3, 4, 5].map(delta))).toEqual([])
})

it('finds nothing wrong with the net change of several revisions', () => {
  const net = { ...delta(4), from: '2', changes: items(4).map(([key, value]) => ({ key, value })) }
  expect(complaints([delta(2), net, delta(5)])).toEqual([])
})

it.each<[string, (model: ChannelModel) => void]>([
  ['a snapshot', (model) => model.snapshot({ ...snapshot, storeRevision: '3' })],
  ['its hash', (model) => model.upTo(3n, snapshot.hash)],
])(
  'finds nothing wrong with a follower that %s brings to another channel, which last changed before that',
  (_, move) => {
    // At revision 1 it followed a channel with something else in it.
    const states = [5, 1, 1, 2].map((revision) => hashItems(items(revision)))
    const model = new ChannelModel()
    model.snapshot({ ...snapshot, storeRevision: '2' })
    move(model)
    model.delta({ ...delta(2), from: '1', to: '4' })
    const moved: Timeline = { at: (revision) => states[Number(revision) - 1] ?? '' }
    expect([...model.violations, ...contradictions(model.states, moved)]).toEqual([])
  },
)

it.each([
  ['drops a delta', [2, 4, 5].map(delta)],
  ['names a base that is older than the last change', [delta(2), delta(3), { ...delta(4), from: '2' }, delta(5)]],
  ['drops a delta and hides the gap', [delta(2), { ...delta(4), from: '2' }, delta(5)]],
  ['drops the last delta', [2, 3, 4].map(delta)],
  ['repeats a delta', [2, 3, 3, 4, 5].map(delta)],
  ['swaps two deltas', [2, 4, 3, 5].map(delta)],
  ['sends a wrong hash', [delta(2), { ...delta(3), hash: delta(4).hash }, delta(4), delta(5)]],
  [
    'sends a wrong value with its right hash',
    [delta(2), { ...delta(3), changes: delta(4).changes }, delta(4), delta(5)],
  ],
  ['says a wrong revision', [delta(2), { ...delta(3), to: '4' }, delta(5)]],
])('catches a server that %s', (_, deltas) => {
  expect(complaints(deltas)).not.toEqual([])
})

/** What etcd promises of its watches beside order, uniqueness and reliability. */
it.each<[promise: string, bug: string, (model: ChannelModel) => void]>([
  [
    'atomic',
    'sends half of a revision',
    (model) => {
      model.delta(delta(2))
      const half = { ...delta(3), changes: delta(3).changes.slice(0, 1) }
      model.delta({ ...half, hash: hashItems([...items(2).slice(1), ...items(3).slice(0, 1)]) })
    },
  ],
  ['bookmarkable', 'lets a heartbeat run ahead of a change', (model) => model.upTo(2n)],
  [
    'bookmarkable',
    'goes back in time',
    (model) => {
      model.delta(delta(2))
      model.upTo(1n)
    },
  ],
  [
    'resumable',
    'leaves out what was missed',
    (model) => {
      model.reconnecting()
      model.delta(delta(3))
    },
  ],
  [
    'resumable',
    'says that nothing was missed',
    (model) => {
      model.reconnecting()
      model.upTo(2n, hashItems(items(2)))
    },
  ],
  [
    'resumable',
    'brings up to date with a snapshot of before',
    (model) => {
      model.reconnecting()
      model.snapshot({ ...snapshot, storeRevision: '2' })
    },
  ],
])('catches a server whose streams are not %s: it %s', (_promise, _bug, misbehave) => {
  const model = new ChannelModel()
  model.snapshot(snapshot)
  expect([...model.violations, ...contradictions(model.states, timeline)]).toEqual([])
  misbehave(model)
  expect([...model.violations, ...contradictions(model.states, timeline)]).not.toEqual([])
})
