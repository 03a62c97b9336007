import { describe, expect, it } from 'vitest'
import { optional } from './optional.js'

describe('optional', () => {
  it('leaves out undefined members and keeps null, false and empty text', () => {
    expect(Object.keys(optional({ a: undefined, b: null, c: false, d: '' }))).toEqual(['b', 'c', 'd'])
  })
})
