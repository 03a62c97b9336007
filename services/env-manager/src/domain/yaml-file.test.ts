import { describe, expect, it } from 'vitest'
import { MAX_YAML_BYTES, parseYamlFile } from './yaml-file.js'

const messages = (text: string): readonly string[] =>
  parseYamlFile('f.yaml', text).problems.map(({ line, column, message }) => `${line}:${column} ${message}`)

describe('parseYamlFile', () => {
  // The first of all: only while regular expressions are not compiled yet, the end of the stack within one would end the process.
  it('refuses a file of nothing but brackets instead of ending the process', () => {
    expect(messages('['.repeat(200_000))).toEqual(['1:1 is nested deeper than 100 levels'])
  })

  it('reads several documents and leaves empty ones out', () => {
    const { documents, problems } = parseYamlFile('f.yaml', 'a: 1\n---\n---\nb: [2]\n')
    expect(problems).toEqual([])
    expect(documents.map(({ value }) => value)).toEqual([{ a: 1 }, { b: [2] }])
  })

  it('refuses a file that is too large without parsing it', () => {
    expect(messages('#'.repeat(MAX_YAML_BYTES + 1))).toEqual(['1:1 is larger than 256 KiB; split it'])
  })

  it('refuses an alias bomb quickly', () => {
    const levels = Array.from({ length: 9 }, (_, index) =>
      index === 0
        ? 'a0: &a0 [x,x,x,x,x,x,x,x,x]'
        : `a${index}: &a${index} [${Array(9)
            .fill(`*a${index - 1}`)
            .join(',')}]`,
    )
    const start = process.cpuUsage()
    expect(messages(levels.join('\n'))[0]).toMatch(/alias.*write the data out/i)
    expect(process.cpuUsage(start).user).toBeLessThan(1_000_000)
  })

  it('names the place of a key that is there twice', () => {
    expect(messages('a: 1\nb: 2\na: 3\n')).toEqual(['3:1 this key is here twice in the same mapping; remove one'])
  })

  it('names the place of a syntax error', () => {
    expect(messages('a: [1, 2\nb: 3\n')[0]).toMatch(/^2:1 /)
  })

  it('refuses unknown tags and too many documents', () => {
    expect(messages('a: !!js/function x\n')).toHaveLength(1)
    expect(messages('a: 1\n---\n'.repeat(102))).toEqual(['1:1 holds more than 100 documents; split it'])
  })

  it('points at a value, at a key, through an alias, and at the nearest parent of what is not there', () => {
    const [document] = parseYamlFile('f.yaml', 'base: &b\n  deep: [1, 2]\nuse: *b\n').documents
    const at = (path: readonly (string | number)[], where: 'value' | 'key' = 'value'): string => {
      const problem = document?.problemAt(path, 'x', where)
      return `${problem?.line}:${problem?.column}`
    }
    expect(at(['base', 'deep', 1])).toBe('2:13')
    expect(at(['base', 'deep'], 'key')).toBe('2:3')
    expect(at(['use', 'deep', 0])).toBe('2:10')
    expect(at(['base', 'nothing', 'here'])).toBe('2:3')
    expect(at(['base', 'deep', 9])).toBe('2:9')
    expect(at(['base', 'deep', 0, 'x'])).toBe('2:10')
  })

  it('keeps a key named __proto__ an ordinary key', () => {
    const [document] = parseYamlFile('f.yaml', '__proto__: { polluted: true }\n').documents
    expect(Object.keys(document?.value as object)).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})
