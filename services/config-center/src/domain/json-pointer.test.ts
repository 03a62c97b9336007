import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPointer, member, parsePointer, valueAt } from './json-pointer.js'

describe('JSON pointers', () => {
  it('read back what they were written from', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (path) => {
        expect(parsePointer(formatPointer(path))).toEqual(path)
      }),
    )
  })

  it('address the values of RFC 6901, section 5', () => {
    const document = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'm~n': 8, ' ': 7 }
    const rows = [
      ['', document],
      ['/foo', ['bar', 'baz']],
      ['/foo/0', 'bar'],
      ['/', 0],
      ['/a~1b', 1],
      ['/m~0n', 8],
      ['/ ', 7],
    ] as const
    for (const [pointer, value] of rows) expect(valueAt(document, parsePointer(pointer))).toEqual(value)
  })

  it.each(['foo', '/a~', '/a~2'])('refuse %s', (pointer) => {
    expect(() => parsePointer(pointer)).toThrow(/is not a JSON Pointer/)
  })

  it('reach own members only', () => {
    expect(member({}, 'toString')).toBeUndefined()
    expect(member(['a'], 'length')).toBeUndefined()
    expect(member(['a'], '00')).toBeUndefined()
    expect(member('text', '0')).toBeUndefined()
    expect(member(JSON.parse('{"__proto__":5}'), '__proto__')).toBe(5)
  })
})
