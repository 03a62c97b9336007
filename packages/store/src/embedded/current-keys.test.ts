import { describe, expect, it } from 'vitest'
import type { StoreEntry } from '../revisioned-store.js'
import { CurrentKeys } from './current-keys.js'

function entry(key: string, leaseId?: string): StoreEntry {
  const revisions = { createRevision: 1n, modRevision: 1n, version: 1n }
  return { key, value: 'v', ...revisions, ...(leaseId === undefined ? {} : { leaseId }) }
}

describe('the index of current keys', () => {
  it('forgets which lease held a key when the key moves, is put without it or is deleted', () => {
    const keys = new CurrentKeys()
    const held = ['a', 'b', 'c', 'd'].map((key) => entry(key, 'first'))
    keys.load(held)
    const [a, b, c] = held
    if (a === undefined || b === undefined || c === undefined) throw new Error('three entries are held')
    keys.apply([
      { kind: 'put', entry: entry('a', 'second'), previous: a },
      { kind: 'put', entry: entry('b'), previous: b },
      { kind: 'delete', key: 'c', modRevision: 2n, previous: c },
    ])
    expect([...keys.keysOfLease('first')]).toEqual(['d'])
    expect([...keys.keysOfLease('second')]).toEqual(['a'])
    expect([...keys.select({ prefix: '' })].map(({ key }) => key)).toEqual(['a', 'b', 'd'])
  })
})
