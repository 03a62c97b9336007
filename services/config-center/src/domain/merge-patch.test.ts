import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mergeDocuments, mergePatch } from './merge-patch.js'

/** RFC 7396, appendix A: target, patch, result. */
const RFC_7396_ROWS: readonly (readonly [string, string, string])[] = [
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', 'null', 'null'],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
]

const json = fc.jsonValue({ maxDepth: 4 })

describe('mergePatch', () => {
  it.each(RFC_7396_ROWS)('merges %s with %s into %s (RFC 7396)', (target, patch, result) => {
    expect(mergePatch(JSON.parse(target), JSON.parse(patch))).toEqual(JSON.parse(result))
  })

  it('treats members called __proto__ as data and leaves every prototype alone', () => {
    const patch: unknown = JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":{"polluted":true}}}')
    const merged = mergePatch({ a: { b: 1 } }, patch)
    expect(JSON.stringify(merged)).toBe('{"a":{"b":1,"__proto__":{"polluted":true}},"__proto__":{"polluted":true}}')
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype)
    expect({}).not.toHaveProperty('polluted')
  })

  it('does not take inherited members of the target for its own', () => {
    expect(mergePatch({}, JSON.parse('{"toString":{"a":1},"constructor":{"b":2}}'))).toEqual({
      toString: { a: 1 },
      constructor: { b: 2 },
    })
  })

  it('changes neither argument', () => {
    fc.assert(
      fc.property(json, json, (target, patch) => {
        const before = JSON.stringify([target, patch])
        mergePatch(target, patch)
        expect(JSON.stringify([target, patch])).toBe(before)
      }),
    )
  })

  it('gives the same result when a patch is applied twice', () => {
    fc.assert(
      fc.property(json, json, (target, patch) => {
        const once = mergePatch(target, patch)
        expect(mergePatch(once, patch)).toEqual(once)
      }),
    )
  })

  it('leaves no null that a patch object could have brought', () => {
    fc.assert(
      fc.property(json, (patch) => {
        const nulls = (value: unknown): boolean =>
          typeof value === 'object' &&
          value !== null &&
          !Array.isArray(value) &&
          Object.values(value).some((member) => member === null || nulls(member))
        expect(nulls(mergePatch({}, patch))).toBe(false)
      }),
    )
  })
})

describe('mergeDocuments', () => {
  it('is an empty object without documents', () => {
    expect(mergeDocuments([])).toEqual({})
  })

  it('lays later documents over earlier ones', () => {
    expect(mergeDocuments([{ a: 1, list: [1, 2, 3] }, { b: 2, list: [4] }, { a: null }])).toEqual({ b: 2, list: [4] })
  })
})
