import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addStoreKey, parseStoreKeys, readStoreKeys } from './store-keys.js'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-keys-'))
  file = join(folder, 'store.key')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('a key file', () => {
  it('is made for its owner only, and a new key comes first', () => {
    const first = addStoreKey(file)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const second = addStoreKey(file)
    const keys = readStoreKeys(file)
    expect([keys.newest.id, [...keys.byId.keys()]]).toEqual([second.id, [second.id, first.id]])
    expect(readdirSync(folder)).toEqual(['store.key'])
  })

  it('may have comments and empty lines', () => {
    const { id } = addStoreKey(file)
    expect(parseStoreKeys(`# made in May\n\n${readFileSync(file, 'utf8')}`)?.newest.id).toBe(id)
  })

  it.each([0o644, 0o604, 0o620, 0o666])('is refused when its mode is %o', (mode) => {
    addStoreKey(file)
    chmodSync(file, mode)
    expect(() => readStoreKeys(file)).toThrow(/others than its owner may use it/)
  })

  it.each([0o600, 0o400, 0o440])('is taken when its mode is %o', (mode) => {
    const { id } = addStoreKey(file)
    chmodSync(file, mode)
    expect(readStoreKeys(file).newest.id).toBe(id)
  })

  it('is refused, without being shown, when it holds something else', () => {
    writeFileSync(file, 'hunter2\n', { mode: 0o600 })
    expect(() => readStoreKeys(file)).toThrow(/it holds no keys/)
    expect(() => readStoreKeys(file)).not.toThrow(/hunter2/)
    expect(() => addStoreKey(file)).toThrow(/is there already and holds no keys/)
    expect(() => readStoreKeys(join(folder, 'none'))).toThrow(/ENOENT/)
  })
})
