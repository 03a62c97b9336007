import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placeAt, spansOf } from './json-text.js'
import { escapePointer, isObject } from './leaves.js'

/** The place at the mark `|` of a text. */
function at(marked: string): ReturnType<typeof placeAt> {
  const position = marked.indexOf('|')
  return placeAt(marked.replace('|', ''), position)
}

describe('where the cursor is', () => {
  it.each([
    ['{|}', '', 'key', undefined],
    ['{"pa|', '', 'key', undefined],
    ['{"page": |', '', 'value', 'page'],
    ['{"page": tr|', '', 'value', 'page'],
    ['{"page": 1, |', '', 'key', undefined],
    ['{"limits": {"up|', '/limits', 'key', undefined],
    ['{"limits": {"upper": |}}', '/limits', 'value', 'upper'],
    ['{"a/b": {"~": |', '/a~1b', 'value', '~'],
    ['{"list": [1, |', '/list', 'value', undefined],
    ['|', '', 'nothing', undefined],
    ['{"a": "{,:" , |', '', 'key', undefined],
  ] as const)('knows it in %s', (text, parent, wants, key) => {
    expect(at(text)).toMatchObject({ parent, wants, key })
  })

  it('knows the word under the cursor with its quote', () => {
    expect(at('{"pa|').word).toEqual({ from: 1, to: 4 })
    expect(at('{"a": |').word).toEqual({ from: 6, to: 6 })
  })

  it('never fails, whatever the text', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), (text, position) => {
        expect(placeAt(text, position % (text.length + 1)).word.to).toBeLessThanOrEqual(text.length)
      }),
    )
  })
})

describe('where values stand', () => {
  it('has a span for each value of a valid document, which holds its key', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (document) => {
        const text = JSON.stringify(document, null, 2)
        const spans = spansOf(text)
        for (const { path, key } of pathsOf(document)) {
          const span = spans.get(path)
          expect(span).toBeDefined()
          expect(text.slice(span?.from, span?.to)).toBe(JSON.stringify(key))
        }
      }),
    )
  })
})

function pathsOf(value: unknown, path = ''): { path: string; key: string }[] {
  if (!isObject(value)) return []
  return Object.keys(value).flatMap((key) => {
    const below = `${path}/${escapePointer(key)}`
    return [{ path: below, key }, ...pathsOf(value[key], below)]
  })
}
