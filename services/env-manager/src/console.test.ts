import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestApp, type TestAnswer } from './test-app.test-support.js'

const root = mkdtempSync(join(tmpdir(), 'tributary-console-'))
const directory = join(root, 'dist')
let server: TestApp
/** The page at a time when the folder is not there. */
let unbuilt: TestAnswer

beforeAll(async () => {
  server = await TestApp.open({}, { consoleDirectory: directory })
  unbuilt = await get('/console/')
  mkdirSync(join(directory, 'assets'), { recursive: true })
  writeFileSync(join(directory, 'index.html'), '<!doctype html><title>Tributary</title>')
  writeFileSync(join(directory, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  writeFileSync(join(directory, 'assets', 'index-abc123.js'), 'export {}')
  writeFileSync(join(directory, '.env'), 'SECRET=1')
  writeFileSync(join(root, 'outside.txt'), 'outside')
  symlinkSync(join(root, 'outside.txt'), join(directory, 'link'))
})

afterAll(async () => {
  await server.close()
  rmSync(root, { recursive: true })
})

const get = (url: string) => server.call('GET', url)

describe('the console', () => {
  it('says how it is built while it is not', () => {
    expect([unbuilt.status, unbuilt.headers['content-type']]).toEqual([503, 'text/html; charset=utf-8'])
    expect(unbuilt.text).toContain('npm run build -w console')
  })

  it('is served from its folder once it is there', async () => {
    const page = await get('/console/')
    expect([page.status, page.headers['cache-control'], page.text.includes('<title>Tributary')]).toEqual([
      200,
      'no-cache',
      true,
    ])
    const script = await get('/console/assets/index-abc123.js')
    expect([script.status, script.headers['cache-control'], script.headers['content-type']]).toEqual([
      200,
      'public, max-age=31536000, immutable',
      expect.stringContaining('javascript'),
    ])
    expect((await get('/console/icon.svg')).headers['cache-control']).toBe('no-cache')
  })

  it('has its first page at every place within it', async () => {
    for (const place of ['/console/environments/feature-x', '/console/runs/abc?step=1']) {
      expect((await get(place)).text).toContain('<title>Tributary')
    }
  })

  it('has no file of a name that no file system takes', async () => {
    expect((await get(`/console/assets/${'a'.repeat(300)}.js`)).status).toBe(404)
  })

  it('is where / leads', async () => {
    for (const url of ['/', '/console']) {
      const answer = await get(url)
      expect([answer.status, answer.headers['location']]).toEqual([302, '/console/'])
    }
  })

  it.each([
    '/console/assets/gone-000.js',
    '/console/.env',
    '/console/assets/../.env',
    '/console/%2e%2e/outside.txt',
    '/console/..%2foutside.txt',
    '/console/assets/..%5c..%5coutside.txt',
    '/console/assets/%00.js',
    '/console/assets/',
  ])('has no file %s', async (url) => {
    const answer = await get(url)
    expect([answer.status >= 400, answer.text.includes('SECRET'), answer.text.includes('outside"')]).toEqual([
      true,
      false,
      false,
    ])
  })

  it('sends strict headers with everything', async () => {
    for (const url of ['/console/', '/v1/session', '/nothing']) {
      const { headers } = await get(url)
      expect(headers['content-security-policy']).toBe(
        "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;connect-src 'self';base-uri 'none';frame-ancestors 'none';form-action 'self'",
      )
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'same-origin',
      })
      expect(headers['strict-transport-security']).toBeUndefined()
    }
  })
})
