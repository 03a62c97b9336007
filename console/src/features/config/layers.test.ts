import type { ExplainLayer } from '@tributary/contract'
import { describe, expect, it } from 'vitest'
import { differingValues } from './document-difference.js'
import { originOf } from './layers.js'
import { leavesOf } from './leaves.js'

const layer = (tenant: string, source: string, value: unknown): ExplainLayer => ({
  tenant,
  source,
  value,
  revision: '1',
  effect: 'merged',
})

describe('where a value comes from', () => {
  const layers = [
    layer('feature-x', 'orders', { limits: { upper: 5 }, list: [1] }),
    layer('feature-x', '*', { limits: { lower: 1 } }),
    layer('integration', 'orders', { limits: { upper: 1, lower: 0 }, 'a/b': 1, list: [2, 3] }),
  ]

  it.each([
    ['/limits/upper', 'feature-x/orders'],
    ['/limits/lower', 'feature-x/*'],
    ['/a~1b', 'integration/orders'],
    ['/list', 'feature-x/orders'],
  ])('%s comes from %s', (path, origin) => {
    const found = originOf(layers, path)
    expect(`${found?.tenant}/${found?.source}`).toBe(origin)
  })

  it('is nowhere when nobody sets it', () => {
    expect(originOf(layers, '/unknown')).toBeUndefined()
  })
})

describe('the leaves of a document', () => {
  it('are everything but objects with members, in order', () => {
    expect(leavesOf({ b: [1], a: { 'x/y': null, empty: {} } })).toEqual([
      { path: '/a/empty', value: {} },
      { path: '/a/x~1y', value: null },
      { path: '/b', value: [1] },
    ])
    expect(leavesOf({})).toEqual([])
  })

  it('tell what differs', () => {
    expect(differingValues({ a: 1, b: { c: [1] } }, { b: { c: [2] }, d: null })).toEqual([
      { name: '', path: '/a', before: 1, after: undefined },
      { name: '', path: '/b/c', before: [1], after: [2] },
      { name: '', path: '/d', before: undefined, after: null },
    ])
    expect(differingValues(undefined, { a: 1 })).toHaveLength(1)
  })
})
