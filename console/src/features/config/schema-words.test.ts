import { describe, expect, it } from 'vitest'
import { keysAt, valuesAt } from './schema-words.js'

const SCHEMA = {
  type: 'object',
  properties: {
    pageSize: { type: 'integer', description: 'orders on a page' },
    mode: { enum: ['slow', 'fast'], default: 'fast' },
    cache: { $ref: '#/$defs/cache' },
    loop: { $ref: '#/properties/loop' },
  },
  $defs: { cache: { properties: { enabled: { type: 'boolean' } } } },
}

describe('what can be completed', () => {
  it('offers the keys of the schema with type and description, then inherited ones', () => {
    expect(keysAt(SCHEMA, { pageSize: 2, legacy: { a: 1 } }, '')).toEqual([
      { text: 'pageSize', note: 'integer', info: 'orders on a page' },
      { text: 'mode', note: '', info: '' },
      { text: 'cache', note: '', info: '' },
      { text: 'loop', note: '', info: '' },
      { text: 'legacy', note: '{"a":1}', info: '' },
    ])
  })

  it('follows references within the schema, and ends one that leads in a circle', () => {
    expect(keysAt(SCHEMA, {}, '/cache').map(({ text }) => text)).toEqual(['enabled'])
    expect(valuesAt(SCHEMA, '/cache/enabled').map(({ text }) => text)).toEqual(['true', 'false'])
    expect(keysAt(SCHEMA, {}, '/loop')).toEqual([])
  })

  it('offers listed values, the default first', () => {
    expect(valuesAt(SCHEMA, '/mode').map(({ text }) => text)).toEqual(['"fast"', '"slow"'])
  })

  it('knows nothing without a schema', () => {
    expect(keysAt(undefined, undefined, '/a/b')).toEqual([])
    expect(valuesAt(undefined, '/a')).toEqual([])
  })
})
