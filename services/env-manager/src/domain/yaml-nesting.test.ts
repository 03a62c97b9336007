import { describe, expect, it } from 'vitest'
import { isNestedTooDeeply, MAX_YAML_NESTING } from './yaml-nesting.js'

const STYLES: Readonly<Record<string, (depth: number) => string>> = {
  'flow sequences': (depth) => `${'['.repeat(depth)}1${']'.repeat(depth)}`,
  'flow mappings': (depth) => `${'{a: '.repeat(depth)}1${'}'.repeat(depth)}`,
  'block sequences': (depth) => `${'- '.repeat(depth)}1\n`,
  'block mappings': (depth) =>
    Array.from({ length: depth }, (_, level) => `${' '.repeat(level)}a:`).join('\n') + ' 1\n',
}

describe('the nesting of YAML', () => {
  it.each(Object.entries(STYLES))('is bounded in %s', (_style, nested) => {
    expect(isNestedTooDeeply(nested(MAX_YAML_NESTING))).toBe(false)
    expect(isNestedTooDeeply(nested(MAX_YAML_NESTING + 2))).toBe(true)
  })

  it('is counted for each document and each branch, not for all together', () => {
    const branch = STYLES['flow sequences']?.(MAX_YAML_NESTING - 1) ?? ''
    expect(isNestedTooDeeply(`a: ${branch}\nb: ${branch}\n---\nc: ${branch}\n`)).toBe(false)
  })

  it.each(['[', '{', '- ', '? ', 'a: ['])('of nothing but %j is seen at once', (opening) => {
    expect(isNestedTooDeeply(opening.repeat(100_000))).toBe(true)
  })
})
