import { randomBytes } from 'node:crypto'
import { isAppError } from '@tributary/kit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DataKeys, newRecord, parseRecord, rotated } from './data-keys.js'
import { parseStoreKeys, type StoreKeys } from './store-keys.js'

const newKey = (): string => randomBytes(32).toString('base64url')

function keysOf(...lines: string[]): StoreKeys {
  const keys = parseStoreKeys(lines.join('\n'))
  if (keys === undefined) throw new Error('no keys')
  return keys
}

const keys = keysOf(newKey())
const dataKeys = new DataKeys(newRecord(keys), keys)

function codeOf(call: () => unknown): string {
  try {
    call()
    return 'none'
  } catch (error) {
    return isAppError(error) ? error.code : String(error)
  }
}

describe('a sealed value', () => {
  it('opens under its own key, whatever both are, and is never written down twice in the same way', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme' }), (key, value) => {
        const [one, other] = [dataKeys.seal(key, value), dataKeys.seal(key, value)]
        expect(dataKeys.open(key, one)).toBe(value)
        expect(one.equals(other)).toBe(false)
      }),
    )
  })

  it('holds nothing of its plain text', () => {
    expect(dataKeys.seal('cc/document/x/orders', 'hunter2-hunter2').includes('hunter2')).toBe(false)
  })

  it('opens under no other key: who can write the store cannot move it to another tenant or name', () => {
    const sealed = dataKeys.seal('cc/document/integration/orders', 'secret')
    expect(codeOf(() => dataKeys.open('cc/document/feature-x/orders', sealed))).toBe('STORE_CORRUPT')
  })

  it('does not open when any byte of it is another', () => {
    const sealed = dataKeys.seal('k', 'secret')
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed)
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index)
      expect(['STORE_CORRUPT', 'STORE_KEY_UNKNOWN']).toContain(codeOf(() => dataKeys.open('k', changed)))
    }
    for (let length = 0; length < sealed.length; length += 1) {
      expect(codeOf(() => dataKeys.open('k', sealed.subarray(0, length)))).toMatch(/^STORE_/)
    }
  })

  it('is not what somebody wrote in plain text', () => {
    expect(codeOf(() => dataKeys.open('k', Buffer.from('plain')))).toBe('STORE_CORRUPT')
  })
})

describe('the record of data keys', () => {
  const [first, second] = [newKey(), newKey()]

  it('stays as it is while the newest key is the one that it is under', () => {
    expect(rotated(newRecord(keys), keys)).toBeUndefined()
  })

  it('opens what was sealed before a rotation, without the key of before', () => {
    const before = newRecord(keysOf(first))
    const sealed = new DataKeys(before, keysOf(first)).seal('k', 'secret')
    const after = rotated(before, keysOf(second, first))
    if (after === undefined) throw new Error('nothing was rotated')
    const opened = new DataKeys(parseRecord(JSON.stringify(after)), keysOf(second))
    expect(opened.open('k', sealed)).toBe('secret')
    expect(codeOf(() => new DataKeys(before, keysOf(first)).open('k', opened.seal('k', 'new')))).toBe(
      'STORE_KEY_UNKNOWN',
    )
  })

  it('is refused to who has another key, in words that name both and show neither', () => {
    const attempt = (): unknown => new DataKeys(newRecord(keysOf(first)), keysOf(second))
    expect(codeOf(attempt)).toBe('STORE_KEY_UNKNOWN')
    expect(attempt).toThrow(keysOf(first).newest.id)
    expect(attempt).toThrow(keysOf(second).newest.id)
    expect(attempt).not.toThrow(first)
  })

  it.each([
    '',
    '{}',
    '{"format":2,"keyId":"x","dataKeys":[]}',
    '{"format":1,"keyId":"x","dataKeys":[{"id":"../x","wrapped":""}]}',
  ])('is damaged when it is %s', (text) => {
    expect(codeOf(() => parseRecord(text))).toBe('STORE_CORRUPT')
  })
})
