import { describe, expect, it } from 'vitest'
import { parseYamlBody } from './yaml-body.js'

const TOO_DEEP = expect.objectContaining({
  code: 'INVALID_REQUEST',
  details: { in: 'body', reason: 'it is nested deeper than 100 levels' },
})

describe('a YAML body', () => {
  // The first of all: only while regular expressions are not compiled yet, the end of the stack within one would end the process.
  it.each(['[', '{', '- ', 'a: ['])('of nothing but %j is refused instead of ending the process', (opening) => {
    expect(() => parseYamlBody(opening.repeat(50_000))).toThrow(TOO_DEEP)
    expect(() => parseYamlBody(`${'['.repeat(4_000)}${']'.repeat(4_000)}`)).toThrow(TOO_DEEP)
  })

  it('may be nested a hundred levels deep', () => {
    const nested = (depth: number): string => `${'['.repeat(depth)}1${']'.repeat(depth)}`
    expect(JSON.stringify(parseYamlBody(nested(100)))).toBe(nested(100))
    expect(() => parseYamlBody(nested(101))).toThrow(TOO_DEEP)
  })
})
