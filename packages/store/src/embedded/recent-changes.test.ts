import { describe, expect, it } from 'vitest'
import type { WatchBatch } from '../revisioned-store.js'
import { RecentChanges } from './recent-changes.js'

function batch(revision: bigint, value: string): WatchBatch {
  const entry = { key: 'k', value, createRevision: revision, modRevision: revision, version: 1n }
  return { storeRevision: revision, events: [{ kind: 'put', entry }] }
}

describe('the window of recent changes', () => {
  it('holds the newest revisions up to its number', () => {
    const recent = new RecentChanges(5n, { maxRevisions: 3, maxSize: 1_000 })
    for (let revision = 6n; revision <= 30n; revision++) recent.push(batch(revision, 'v'))
    expect([recent.after, recent.length]).toEqual([27n, 3])
    expect([27n, 28n, 29n, 30n, 31n].map((revision) => recent.at(revision)?.storeRevision)).toEqual([
      undefined,
      28n,
      29n,
      30n,
      undefined,
    ])
  })

  it('holds no more than its size, and nothing when one revision is larger', () => {
    const recent = new RecentChanges(0n, { maxRevisions: 100, maxSize: 100 })
    for (let revision = 1n; revision <= 10n; revision++) recent.push(batch(revision, 'x'.repeat(39)))
    expect(recent.length).toBe(2)
    recent.push(batch(11n, 'x'.repeat(500)))
    expect([recent.length, recent.after]).toEqual([0, 11n])
    recent.push(batch(12n, 'v'))
    expect(recent.at(12n)?.storeRevision).toBe(12n)
  })
})
