import { afterAll, beforeAll, expect, it } from 'vitest'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EXIT_CODES } from '../errors.js'
import { runCli } from '../program.js'
import { until } from '../testing/fake-runtime.test-support.js'
import { startRealConfigCenter, type RealConfigCenter } from '../testing/real-config-center.test-support.js'

let center: RealConfigCenter

beforeAll(async () => {
  center = await startRealConfigCenter()
  const { client } = center
  await client.applyTenant('integration', { base: null })
  await client.applyTenant('feature-x', { base: 'integration' })
  await client.applyDocument({ tenant: 'integration', service: 'orders' }, { pageSize: 20 })
  const endpoints = [{ name: 'http', protocol: 'http' as const, host: '127.0.0.1', port: 4711 }]
  await client.applyEntry({ tenant: 'integration', service: 'stock' }, { endpoints })
})
afterAll(() => center.close())

/** Says what it got only once it is ready to be told to end: whoever has read that may end it at once. */
const PROGRAM = `
process.on('SIGTERM', () => process.exit(7))
require('node:fs').appendFileSync(process.env.OUT, process.env.CONFIG_PAGE_SIZE + ' ' + process.env.STOCK_URL + '\\n')
setInterval(() => {}, 1000)`

it('runs a program with the config and addresses of its tenant, and again when they change', async () => {
  const out = join(center.folder, 'exec-out')
  const env = { ...process.env, TRIBUTARY_URL: center.url, TRIBUTARY_TOKEN: center.token, OUT: out }
  const fake = center.runtime({ env })
  const args = [
    'exec',
    '--tenant',
    'feature-x',
    '--service',
    'orders',
    '--debounce',
    '5ms',
    '--',
    process.execPath,
    '-e',
    PROGRAM,
  ]
  const status = runCli(args, fake.runtime)
  const lines = async () => (await readFile(out, 'utf8').catch(() => '')).trimEnd().split('\n')
  await until(async () => (await lines()).at(-1) === '20 http://127.0.0.1:4711')
  await center.client.patchDocument({ tenant: 'feature-x', service: 'orders' }, { pageSize: 50 })
  await until(async () => (await lines()).at(-1) === '50 http://127.0.0.1:4711')
  await center.client.applyEntry(
    { tenant: 'feature-x', service: 'stock' },
    { endpoints: [{ name: 'http', protocol: 'http', host: '127.0.0.1', port: 4712 }] },
  )
  await until(async () => (await lines()).at(-1) === '50 http://127.0.0.1:4712')
  fake.sendSignal('SIGTERM')
  expect(await status).toBe(7)
  expect(fake.stderr()).toContain('config has changed: restarting')
})

it('says that it has no config when the token is wrong, and does not start the program', async () => {
  const fake = center.runtime({ env: { TRIBUTARY_URL: center.url, TRIBUTARY_TOKEN: 'trb_no_such' } })
  const args = ['exec', '--tenant', 'feature-x', '--service', 'orders', '--', process.execPath, '-e', 'process.exit(0)']
  expect(await runCli(args, fake.runtime)).toBe(EXIT_CODES.unavailable)
  expect(fake.stderr()).toMatch(/^error: cannot get the config of feature-x; /)
})

it('wants to know the tenant, and refuses two ways to react to a change', async () => {
  expect(await runCli(['exec', '--', 'true'], center.runtime().runtime)).toBe(EXIT_CODES.usage)
  const both = ['exec', '--tenant', 'feature-x', '--once', '--signal', 'SIGHUP', '--', 'true']
  expect(await runCli(both, center.runtime().runtime)).toBe(EXIT_CODES.usage)
})
