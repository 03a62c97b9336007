import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { isSealed, openLines, readSealedLines, sealLines, type SealedLines } from './sealed-lines.js'
import { parseStoreKeys, type StoreKeys } from './store-keys.js'

const LINES = ['{"a":1}', 'hunter2', '{"keys":1}']
const newKeys = (): StoreKeys => {
  const keys = parseStoreKeys(randomBytes(32).toString('base64url'))
  if (keys === undefined) throw new Error('no keys')
  return keys
}
const keys = newKeys()
let text: string

async function* source(): AsyncGenerator<string> {
  yield* LINES
}

beforeEach(async () => {
  const sealed: string[] = []
  for await (const line of sealLines(source(), keys)) sealed.push(line)
  text = `${sealed.join('\n')}\n`
})

function parsed(): SealedLines {
  const lines = readSealedLines(text)
  if (lines === undefined) throw new Error('not whole')
  return lines
}

describe('sealed lines', () => {
  it('open with the key, and tell their summary without it', () => {
    expect(isSealed(text)).toBe(true)
    expect(text).not.toContain('hunter2')
    expect(parsed().summary).toBe('{"keys":1}')
    expect(openLines(parsed(), keys)).toEqual(LINES)
  })

  it('are refused to another key', () => {
    expect(() => openLines(parsed(), newKeys())).toThrow(keys.newest.id)
  })

  it('are not whole when a line is missing, wherever it is', () => {
    const lines = text.trimEnd().split('\n')
    for (let index = 0; index < lines.length; index += 1) {
      expect(readSealedLines(lines.toSpliced(index, 1).join('\n'))).toBeUndefined()
    }
  })

  it('do not open in another order, even when somebody counts and hashes them anew', () => {
    const { record, lines, summary } = parsed()
    expect(openLines({ record, lines: lines.toReversed(), summary }, keys)).toBeUndefined()
  })

  it('are told from other text', () => {
    expect([isSealed(''), isSealed('{"format":"tributary-store/1"}\n'), isSealed('x')]).toEqual([false, false, false])
  })
})
