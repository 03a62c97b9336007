import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultsOver, mergeDefaults, parseConfigSchema, schemaViolations } from './config-defaults.js'

type Json = Record<string, unknown>
const leaf = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.constantFrom('a', 'b'),
  fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 2 }),
)
const { object } = fc.letrec<{ object: Json; value: unknown }>((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, leaf, tie('object')),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor'), tie('value'), { maxKeys: 4 }),
}))

/** RFC 7396, for the oracle. */
function applyPatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const result = new Map(
    Object.entries(typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {}),
  )
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name)
    else result.set(name, applyPatch(result.get(name), value))
  }
  return Object.fromEntries(result)
}

describe('mergeDefaults', () => {
  it.each([
    ['takes a new default', {}, { a: 1 }, {}, { a: 1 }],
    ['keeps what a person set before there was a default', {}, { a: 1 }, { a: 9 }, { a: 9 }],
    ['moves an untouched default', { a: 1 }, { a: 2 }, { a: 1 }, { a: 2 }],
    ['keeps an edit when the default moves', { a: 1 }, { a: 2 }, { a: 9 }, { a: 9 }],
    ['keeps a removal when the default moves', { a: 1 }, { a: 2 }, {}, {}],
    ['drops an untouched default that is gone', { a: 1 }, {}, { a: 1 }, {}],
    ['keeps an edit of a default that is gone', { a: 1 }, {}, { a: 9 }, { a: 9 }],
    [
      'merges objects member by member',
      { o: { x: 1 } },
      { o: { x: 2, y: 3 } },
      { o: { x: 1, z: 4 } },
      { o: { x: 2, y: 3, z: 4 } },
    ],
    ['treats a list as one value', { l: [1] }, { l: [1, 2] }, { l: [1] }, { l: [1, 2] }],
    ['keeps members that no default names', { a: 1 }, { a: 1 }, { a: 1, mine: true }, { a: 1, mine: true }],
  ])('%s', (_name, previous, next, current, expected) => {
    expect(mergeDefaults({ previous, next, current })).toEqual(expected)
  })

  it('changes nothing when the defaults did not change', () => {
    fc.assert(
      fc.property(object, object, (defaults, current) => {
        expect(mergeDefaults({ previous: defaults, next: defaults, current })).toEqual(current)
      }),
    )
  })

  it('takes over the new defaults whole when nobody edited', () => {
    fc.assert(
      fc.property(object, object, (previous, next) => {
        expect(mergeDefaults({ previous, next, current: previous })).toEqual(next)
      }),
    )
  })

  it('is idempotent', () => {
    fc.assert(
      fc.property(object, object, object, (previous, next, current) => {
        const merged = mergeDefaults({ previous, next, current })
        expect(mergeDefaults({ previous: next, next, current: merged })).toEqual(merged)
      }),
    )
  })
})

describe('defaultsOver', () => {
  it('holds the defaults themselves without a base', () => {
    expect(defaultsOver(undefined, { a: 1 })).toEqual({ a: 1 })
  })

  it('holds only the difference, so that the rest follows the base', () => {
    expect(defaultsOver({ a: 1, b: 2, o: { x: 1, y: 1 } }, { a: 1, o: { x: 2, y: 1 } })).toEqual({
      b: null,
      o: { x: 2 },
    })
  })

  it('is a patch that turns the base’s defaults into the branch’s', () => {
    fc.assert(
      fc.property(object, object, (base, defaults) => {
        expect(applyPatch(base, defaultsOver(base, defaults))).toEqual(defaults)
      }),
    )
  })
})

describe('schemaViolations', () => {
  it('finds nothing when the defaults keep the schema', () => {
    expect(schemaViolations({ type: 'object', properties: { a: { type: 'integer' } } }, { a: 1 })).toEqual([])
  })

  it('says where the defaults break it', () => {
    const schema = {
      $defs: { n: { type: 'integer', minimum: 3 } },
      properties: { o: { properties: { a: { $ref: '#/$defs/n' } } } },
    }
    expect(schemaViolations(schema, { o: { a: 1 } })).toEqual(['config.defaults/o/a must be >= 3'])
  })

  it('says what is wrong with a schema that is none', () => {
    const schema = { properties: { a: { pattern: '(' } } }
    expect(schemaViolations(schema, { a: 'x' })[0]).toMatch(/is not a usable JSON schema/)
  })
})

describe('parseConfigSchema', () => {
  it('gives the schema, or says why it is none', () => {
    expect(parseConfigSchema('{"type":"object"}')).toEqual({ type: 'object' })
    expect(parseConfigSchema('{')).toBe('is not JSON')
    expect(parseConfigSchema('[]')).toBe('must be a JSON object')
    expect(parseConfigSchema('true')).toBe('must be a JSON object')
  })
})
