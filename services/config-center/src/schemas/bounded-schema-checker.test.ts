import type { JsonSchema } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import { ManualClock } from '@tributary/testkit'
import { describe, expect, it } from 'vitest'
import { UNCHECKED, UNREACHED } from '../domain/schema-check.js'
import { cpuMs } from './bounded-run.js'
import { BoundedSchemaChecker } from './bounded-schema-checker.js'

const subject = { tenant: 'integration', service: 'orders' }
const DRAFT_07 = 'http://json-schema.org/draft-07/schema#'

/** Durations go on while the wall clock does not: how long a schema rests is none of its business. */
class FrozenCalendar extends ManualClock {
  override now(): number {
    return 0
  }
}

function checker(limits = {}) {
  return new BoundedSchemaChecker(new ManualClock(), limits).forWrite()
}

function brokenBy(schema: JsonSchema, data: Record<string, unknown>) {
  return checker().check([{ schema, data }])[0]
}

function refusalOf(schema: JsonSchema): string | undefined {
  try {
    checker().requireUsable(schema, subject)
    return undefined
  } catch (error) {
    return isAppError(error, 'SCHEMA_INVALID') ? error.message : `not SCHEMA_INVALID: ${String(error)}`
  }
}

function codeOf(call: () => void): string | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    return isAppError(error) ? error.code : String(error)
  }
}

/** Takes a while to compile; no two are equal. */
function largeSchema(seed: number, size: number): JsonSchema {
  const properties = Object.fromEntries(
    Array.from({ length: size }, (_, index) => [`p${seed}_${index}`, { minimum: 1 }]),
  )
  return { properties }
}

describe('BoundedSchemaChecker', () => {
  it('tells path, keyword and rule of everything that is broken, and never the value', () => {
    const schema = {
      type: 'object',
      required: ['name'],
      additionalProperties: false,
      properties: {
        name: { type: 'string' },
        pageSize: { type: 'integer', minimum: 1 },
        mode: { enum: ['fast', 'safe'] },
        secret: { type: 'string', pattern: '^sk_' },
        limits: { type: 'object', properties: { 'per/user': { type: 'integer' } } },
      },
    }
    const data = { pageSize: 0, mode: 'hunter2', secret: 'hunter2', limits: { 'per/user': 'hunter2' }, hunter: 1 }
    expect(brokenBy(schema, data)).toEqual([
      { path: ['name'], keyword: 'required', rule: 'is required' },
      { path: ['hunter'], keyword: 'additionalProperties', rule: 'is not a known member' },
      { path: ['pageSize'], keyword: 'minimum', rule: 'must be >= 1' },
      { path: ['mode'], keyword: 'enum', rule: 'must be one of ["fast","safe"]' },
      { path: ['secret'], keyword: 'pattern', rule: 'must match pattern "^sk_"' },
      { path: ['limits', 'per/user'], keyword: 'type', rule: 'must be integer' },
    ])
    expect(JSON.stringify(brokenBy(schema, data))).not.toContain('hunter2')
  })

  it('reads draft 2020-12, and draft-07 when $schema says so', () => {
    const tuple = { properties: { pair: { prefixItems: [{ type: 'integer' }] } } }
    expect(brokenBy(tuple, { pair: ['x'] })).toHaveLength(1)
    expect(brokenBy({ ...tuple, $schema: DRAFT_07 }, { pair: ['x'] })).toEqual([])
    const old = { $schema: DRAFT_07, properties: { pair: { items: [{ type: 'integer' }] } } }
    expect(brokenBy(old, { pair: ['x'] })).toHaveLength(1)
    expect(refusalOf({ $schema: 'http://json-schema.org/draft-04/schema#' })).toContain('draft 2020-12')
  })

  it('takes formats and unknown keywords as notes', () => {
    expect(brokenBy({ properties: { at: { format: 'date-time', 'x-owner': 'us' } } }, { at: 'whenever' })).toEqual([])
  })

  it('does not take what objects inherit for members', () => {
    expect(brokenBy({ required: ['constructor'] }, {})).toHaveLength(1)
  })

  it('refuses what is no schema, and references that lead out of it', () => {
    expect(refusalOf({ type: 'strin' })).toContain('schema is invalid')
    expect(refusalOf({ $ref: 'https://example.org/other.json' })).toContain('https://example.org/other.json')
    expect(refusalOf({ $ref: 'file:///etc/passwd' })).toContain('file:///etc/passwd')
    expect(refusalOf({ properties: { a: { pattern: '(' } } })).toContain('regular expression')
    expect(refusalOf({ $async: true })).toContain('$async')
    expect(refusalOf({ $defs: { a: { type: 'string' } }, properties: { b: { $ref: '#/$defs/a' } } })).toBeUndefined()
  })

  it('stops a regular expression that backtracks without end, and leaves it alone for a while', () => {
    const clock = new FrozenCalendar()
    const bounded = new BoundedSchemaChecker(clock, { sliceMs: 10, restMs: 1_000 }).forWrite()
    const schema = { properties: { a: { pattern: '^(x+)+$' } } }
    const bad = { schema, data: { a: `${'x'.repeat(60)}!` } }
    expect(bounded.check([bad])[0]?.map(({ keyword }) => keyword)).toEqual([UNCHECKED])
    const good = { schema, data: { a: 'xxx' } }
    expect(bounded.check([good])[0]?.map(({ keyword }) => keyword)).toEqual([UNCHECKED])
    clock.advance(1_001)
    expect(bounded.check([good])).toEqual([[]])
  })

  it('never takes longer for one write than its limit, however many slow schemas there are', () => {
    const bounded = checker({ sliceMs: 10, totalMs: 100, totalCompileMs: 60_000 })
    const jobs = Array.from({ length: 30 }, (_, index) => ({
      schema: { properties: { a: { pattern: '^(x+)+$' } }, title: `${index}` },
      data: { a: `${'x'.repeat(60)}!` },
    }))
    for (const { schema } of jobs) bounded.requireUsable(schema, subject)
    const startedAt = cpuMs()
    const results = bounded.check(jobs)
    expect(cpuMs() - startedAt).toBeLessThan(5_000)
    expect(results[0]?.map(({ keyword }) => keyword)).toEqual([UNCHECKED])
    expect(results.at(-1)?.map(({ keyword }) => keyword)).toEqual([UNREACHED])
  })

  it('refuses references in a circle, and stops a schema that recurses on one value without end', () => {
    const circle = { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }
    expect(refusalOf(circle)).toContain('cannot be used')
    const endless = { allOf: [{ minProperties: 0 }, { $ref: '#' }] }
    expect(brokenBy(endless, {})?.[0]?.keyword).toBe(UNCHECKED)
  })

  it('stops compiling a schema that grows without bound', () => {
    const bounded = checker({ compileMs: 1 })
    expect(() => bounded.requireUsable(largeSchema(0, 2_000), subject)).toThrow('too long to compile')
  })

  it('compiles the new schemas of one write within one budget, however many of them are slow', () => {
    const one = checker({ compileMs: 5, totalCompileMs: 5 })
    const codes = Array.from({ length: 40 }, (_, seed) =>
      codeOf(() => one.requireUsable(largeSchema(seed, 5_000), subject)),
    )
    expect(codes).toEqual(['SCHEMA_INVALID', ...Array.from({ length: 39 }, () => 'SCHEMA_TIME_SPENT')])
  })

  it('does not hold it against a schema that there was no time left for it', () => {
    const spent = checker({ totalCompileMs: 0 })
    expect(() => spent.requireUsable({ type: 'object' }, subject)).toThrow(/took the 0 ms/)
    expect(spent.check([{ schema: { type: 'object' }, data: {} }])[0]?.[0]?.keyword).toBe(UNREACHED)
  })

  it('forgets the schemas that were not used for longest', () => {
    const bounded = checker({ maxCompiled: 2 })
    const jobs = Array.from({ length: 5 }, (_, index) => ({ schema: { minProperties: index }, data: { a: 1 } }))
    expect(bounded.check(jobs).map((rules) => rules.length)).toEqual([0, 0, 1, 1, 1])
    expect(bounded.check(jobs).map((rules) => rules.length)).toEqual([0, 0, 1, 1, 1])
  })
})
