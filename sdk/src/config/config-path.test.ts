import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseConfigPath, readPath, withPath } from './config-path.js'

const document = {
  pageSize: 20,
  database: { pool: { size: 5 }, hosts: ['x', 'y'] },
  'a.b': 1,
  'a/b': 2,
  'm~n': 3,
  '': { '': 4 },
  nothing: null,
}

describe('readPath', () => {
  it.each([
    ['pageSize', 20],
    ['database.pool.size', 5],
    ['database.hosts.1', 'y'],
    ['/database/pool/size', 5],
    ['/database/hosts/0', 'x'],
    ['/a.b', 1],
    ['/a~1b', 2],
    ['/m~0n', 3],
    ['//', 4],
    ['nothing', null],
    ['', document],
    ['*', document],
  ])('reads %j', (path, value) => {
    expect(readPath(document, parseConfigPath(path))).toEqual(value)
  })

  it.each([
    'absent',
    'pageSize.deeper',
    'database.hosts.2',
    'database.hosts.01',
    'database.hosts.-1',
    '/database/hosts/-',
    'database.hosts.length',
    'nothing.deeper',
    'constructor',
    '__proto__',
    'database.toString',
    '/*',
  ])('finds nothing at %j', (path) => {
    expect(readPath(document, parseConfigPath(path))).toBeUndefined()
  })

  it('finds nothing without a document', () => {
    expect(readPath(undefined, parseConfigPath('a.b'))).toBeUndefined()
  })

  it.each(['a..b', '.a', 'a.', '.', '/a~', '/a~2b'])('refuses %j', (path) => {
    expect(() => parseConfigPath(path)).toThrow(expect.objectContaining({ code: 'SDK_PATH_INVALID' }))
  })

  it('reads a member that JSON calls __proto__', () => {
    const hostile: unknown = JSON.parse('{"__proto__":{"x":1}}')
    expect(readPath(hostile, parseConfigPath('__proto__.x'))).toBe(1)
    expect(readPath(withPath(hostile, ['a'], 2), parseConfigPath('__proto__.x'))).toBe(1)
  })
})

describe('withPath', () => {
  it('does not change its input', () => {
    const before = structuredClone(document)
    withPath(document, ['database', 'pool', 'size'], 6)
    expect(document).toEqual(before)
  })

  it.each([
    [['pageSize'], undefined],
    [['database', 'hosts', '1'], 'z'],
    [['new', 'deep'], 1],
    [['pageSize', 'deep'], 1],
    [[], { whole: true }],
  ])('makes %j read as %j', (segments, value) => {
    expect(readPath(withPath(document, segments, value), segments)).toEqual(value)
  })

  it('makes no empty parents to remove something', () => {
    expect(withPath({ a: 1 }, ['b', 'c'], undefined)).toEqual({ a: 1 })
  })

  it('writes what is read again, at any path of names', () => {
    const name = fc.stringMatching(/^[a-z]{1,2}$/)
    fc.assert(
      fc.property(fc.object({ key: name, maxDepth: 3 }), fc.array(name, { maxLength: 4 }), (target, segments) => {
        fc.pre(segments.length > 0)
        expect(readPath(withPath(target, segments, 'mark'), segments)).toBe('mark')
      }),
    )
  })
})
