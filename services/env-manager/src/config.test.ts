import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createContextKey } from '@tributary/contract/context-token'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadPlatformConfig, readConfig } from './config.js'

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tributary-config-'))
  file = join(directory, 'tributary.config.yaml')
  writeFileSync(
    file,
    'apiVersion: tributary/v1\nkind: Platform\nrepositories: [{ name: shop, url: x }]\nsecrets: { mail: { environmentVariable: MAIL } }\n',
  )
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('loadPlatformConfig', () => {
  it('reads the file and the secrets that it offers', () => {
    const { config, offeredSecrets } = loadPlatformConfig(file, { MAIL: 'pw' })
    expect(config.repositories[0]?.name).toBe('shop')
    expect(offeredSecrets).toEqual({ mail: 'pw' })
  })

  it('says which variable a secret lacks, which line is wrong, and which file is not there', () => {
    expect(() => loadPlatformConfig(file, {})).toThrow('secret "mail" needs the variable MAIL; set it')
    writeFileSync(file, 'apiVersion: tributary/v1\nkind: Platform\nrepos: []\n')
    expect(() => loadPlatformConfig(file, {})).toThrow(/tributary.config.yaml:3:1: unknown field "repos"/)
    expect(() => loadPlatformConfig(join(directory, 'none.yaml'), {})).toThrow(/none.yaml cannot be read/)
  })
})

describe('readConfig', () => {
  it('reads everything, with defaults', () => {
    const config = readConfig({ TRIBUTARY_CONFIG: file, MAIL: 'pw', TRIBUTARY_TOKEN: ' t \n' })
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 7401,
      logLevel: 'info',
      configCenter: { url: 'http://127.0.0.1:7400', token: 't' },
    })
  })

  it('reads the token from a file for each call, because it is rotated', () => {
    const tokenFile = join(directory, 'token')
    writeFileSync(tokenFile, 'first\n')
    const { configCenter } = readConfig({ TRIBUTARY_CONFIG: file, MAIL: '', TRIBUTARY_TOKEN_FILE: tokenFile })
    const read = (): string => (typeof configCenter.token === 'string' ? configCenter.token : configCenter.token())
    expect([read(), configCenter.tokenFile]).toEqual(['first', tokenFile])
    writeFileSync(tokenFile, 'second')
    expect(read()).toBe('second')
  })

  it('takes an origin as the address for clients, and nothing else', () => {
    const env = { TRIBUTARY_CONFIG: file, MAIL: '', TRIBUTARY_TOKEN: 't' }
    const advertised = (url: string) => readConfig({ ...env, TRIBUTARY_ADVERTISED_URL: url }).advertisedUrl
    expect(advertised('https://tributary.example')).toBe('https://tributary.example')
    for (const wrong of ['tributary.example', 'https://u@x', 'https://x/path', 'ftp://x']) {
      expect(() => advertised(wrong)).toThrow(/TRIBUTARY_ADVERTISED_URL is not an address/)
    }
  })

  it('reads context keys from a file, and refuses what is none', () => {
    const keyFile = join(directory, 'key')
    const env = { TRIBUTARY_CONFIG: file, MAIL: '', TRIBUTARY_TOKEN: 't', TRIBUTARY_CONTEXT_KEY_FILE: keyFile }
    const key = createContextKey()
    writeFileSync(keyFile, `${key}\n`)
    expect(readConfig(env).contextKey).toBe(key)
    writeFileSync(keyFile, 'short')
    expect(() => readConfig(env)).toThrow(`${keyFile} holds no key`)
  })

  it('lists everything that is wrong at once, and never a token', () => {
    const env = {
      TRIBUTARY_CONFIG: '/nowhere',
      TRIBUTARY_PORT: '99999',
      TRIBUTARY_URL: 'ftp://x',
      TRIBUTARY_LOG_LEVEL: 'loud',
      TRIBUTARY_TOKEN_FILE: '/none',
    }
    const read = (): unknown => readConfig(env)
    for (const word of [
      '/nowhere cannot be read',
      'TRIBUTARY_PORT',
      'TRIBUTARY_URL',
      'TRIBUTARY_LOG_LEVEL',
      '/none cannot be read',
    ]) {
      expect(read).toThrow(word)
    }
    expect(() => readConfig({ TRIBUTARY_CONFIG: file, MAIL: 'x' })).toThrow('a deployer’s token is needed')
  })
})
