import type { StoreEvent, WatchBatch } from '@tributary/store'
import { describe, expect, it } from 'vitest'
import { watchViolations, type WatchGuarantee } from './watch-guarantees.js'

function put(key: string, revision: bigint): StoreEvent {
  return {
    kind: 'put',
    entry: { key, value: `${key}@${revision}`, createRevision: revision, modRevision: revision, version: 1n },
  }
}

// Revision 4 belongs to somebody else: it is no part of this history.
const history = new Map<bigint, readonly StoreEvent[]>([
  [2n, [put('a', 2n)]],
  [3n, [put('a', 3n), put('b', 3n)]],
  [5n, [{ kind: 'delete', key: 'a', modRevision: 5n }]],
  [6n, [put('c', 6n)]],
])

function batch(storeRevision: bigint): WatchBatch {
  return { storeRevision, events: history.get(storeRevision) ?? [] }
}

const good = [batch(2n), batch(3n), batch(4n), batch(5n), batch(6n)]

function broken(batches: readonly WatchBatch[], after = 1n): WatchGuarantee[] {
  return [...new Set(watchViolations(history, { after, batches }).map((violation) => violation.guarantee))]
}

describe('the checker of watch guarantees', () => {
  it('finds nothing in a watch that keeps them', () => {
    expect(broken(good)).toEqual([])
    expect(broken([batch(3n), batch(5n)], 2n)).toEqual([])
    expect(broken([])).toEqual([])
    expect(broken([batch(2n), batch(3n), batch(4n), batch(4n)])).toEqual([])
  })

  it('does not blame a watch that has not got to the end yet', () => {
    expect(broken(good.slice(0, 2))).toEqual([])
  })

  it('catches a revision that comes late as not ordered or not reliable', () => {
    expect(broken([batch(2n), batch(5n), batch(3n), batch(6n)])).toContain('reliable')
    expect(broken([batch(2n), batch(3n), batch(5n), batch(4n), batch(6n)])).toEqual(['ordered'])
  })

  it('catches a revision that comes twice', () => {
    expect(broken([batch(2n), batch(3n), batch(3n), batch(5n), batch(6n)])).toEqual(['unique'])
  })

  it('catches a revision that is left out in the middle', () => {
    expect(broken([batch(2n), batch(5n), batch(6n)])).toEqual(['reliable'])
  })

  it('catches half a revision, a change of another one, and a change that never happened', () => {
    const half = { storeRevision: 3n, events: [put('a', 3n)] }
    expect(broken([batch(2n), half, batch(5n)])).toEqual(['atomic'])
    const merged = { storeRevision: 3n, events: [...(history.get(3n) ?? []), ...(history.get(5n) ?? [])] }
    expect(broken([batch(2n), merged])).toEqual(['atomic'])
    expect(broken([batch(2n), batch(3n), { storeRevision: 4n, events: [put('ghost', 4n)] }])).toEqual(['atomic'])
  })

  it('catches a session that does not go on where it was asked to', () => {
    expect(broken([batch(5n), batch(6n)], 2n)).toEqual(['resumable'])
    expect(broken([batch(2n), batch(3n)], 2n)).toEqual(['resumable'])
  })

  it('catches a bookmark that runs ahead of the changes', () => {
    expect(broken([batch(2n), { storeRevision: 5n, events: [] }])).toEqual(['bookmarkable'])
    expect(broken([{ storeRevision: 6n, events: [] }, ...good])).toContain('bookmarkable')
  })
})
