import { addStoreKey } from '@tributary/store'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureStoreKeys } from './store-keys.js'

let data: string
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'tributary-up-keys-'))
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

describe('the key of what `tributary up` stores', () => {
  it('is made for its owner only at the first start, and is the same at the next', () => {
    const first = ensureStoreKeys({ data, env: {} })()
    expect(statSync(join(data, 'store.key')).mode & 0o777).toBe(0o600)
    expect(ensureStoreKeys({ data, env: {} })().newest.id).toBe(first.newest.id)
  })

  it('is the one that is named, which is not made: a wrong name must not look like a lost key', () => {
    const named = join(data, 'elsewhere.key')
    const env = { TRIBUTARY_STORE_KEY_FILE: named }
    expect(() => ensureStoreKeys({ data, env })()).toThrow(/elsewhere.key: it cannot be read/)
    const { id } = addStoreKey(named)
    expect(ensureStoreKeys({ data, env })().newest.id).toBe(id)
    expect(existsSync(join(data, 'store.key'))).toBe(false)
  })
})
