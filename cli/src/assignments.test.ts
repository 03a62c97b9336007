import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAssignments, parsePath, parseRemovals, showPath, toPointer } from './assignments.js'

describe('parseAssignments', () => {
  it('takes JSON as JSON and everything else as text', () => {
    expect(
      parseAssignments(['pageSize=50', 'on=true', 'tags=["a"]', 'text=hello world', 'empty=', 'a.b=1', 'a.c=x=y']),
    ).toEqual({
      pageSize: 50,
      on: true,
      tags: ['a'],
      text: 'hello world',
      empty: '',
      a: { b: 1, c: 'x=y' },
    })
  })

  it('takes a JSON Pointer for names that hold a dot', () => {
    expect(parseAssignments(['/hosts/a.example~1x=1'])).toEqual({ hosts: { 'a.example/x': 1 } })
  })

  it('keeps names of the prototype as names', () => {
    const patch = parseAssignments(['__proto__.polluted=1'])
    expect(Object.keys(patch)).toEqual(['__proto__'])
    expect(JSON.stringify(patch)).toBe('{"__proto__":{"polluted":1}}')
    expect({}).not.toHaveProperty('polluted')
  })

  it.each([
    [['pageSize'], /not an assignment/],
    [['=5'], /not an assignment/],
    [['a..b=1'], /not a path/],
    [['a=null'], /config unset/],
    [['a=12345678901234567890'], /too large/],
    [['a=1', 'a=2'], /twice/],
    [['a=1', 'a.b=2'], /at the same time/],
  ])('refuses %j', (assignments, message) => {
    expect(() => parseAssignments(assignments)).toThrow(message)
  })
})

describe('parseRemovals', () => {
  it('makes a patch that removes each path', () => {
    expect(parseRemovals(['pageSize', 'limits.perUser'])).toEqual({ pageSize: null, limits: { perUser: null } })
  })
})

describe('showPath', () => {
  it('is read back by parsePath as the same path', () => {
    const name = fc.string({ minLength: 1 }).filter((text) => !text.includes('='))
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), (path) => {
        expect(parsePath(toPointer(path))).toEqual(path)
        expect(parsePath(showPath(path))).toEqual(path)
      }),
    )
  })
})
