import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createSecureServer, type Http2SecureServer, type Http2Session } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fetch as undiciFetch, request, type Dispatcher } from 'undici'
import { currentContext, runWithTenant } from '../context/routing-context.js'
import type { Tributary } from '../tributary.js'
import { createDispatcher } from '../undici.js'
import { Fleet } from './fleet.test-support.js'

interface Seen {
  readonly who: string
  readonly baggage: string | null
  readonly version: string
}

let folder: string
let tls: { readonly key: Buffer; readonly cert: Buffer }
let fleet: Fleet
let client: Tributary
let dispatcher: Dispatcher
let servers: Http2SecureServer[]
let sessions: Set<Http2Session>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-h2-'))
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-batch']
  const about = ['-subj', '/CN=vault', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2']
  await promisify(execFile)('openssl', [...made, '-keyout', keyFile, '-out', certFile, ...about])
  tls = { key: await readFile(keyFile), cert: await readFile(certFile) }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

beforeEach(async () => {
  fleet = new Fleet()
  servers = []
  sessions = new Set()
  await fleet.start([])
  const routes: Record<string, unknown> = {}
  for (const tenant of ['feature-x', 'feature-y']) routes[`tenant/${tenant}`] = { base: 'integration' }
  for (const who of ['integration/vault', 'feature-x/vault']) {
    routes[`entry/${who}`] = { state: 'present', endpoints: [await serve(who)] }
  }
  const { endpoints } = routes['entry/integration/vault'] as { endpoints: unknown }
  fleet.center.publish({ 'service/vault': { state: 'own', owner: 'integration', endpoints } }, routes)
  client = await fleet.client()
  await expect.poll(() => client.resolve('vault', { tenant: 'feature-x' }).owner).toBe('feature-x')
  dispatcher = createDispatcher(client, {
    agent: { allowH2: true, connections: 1, pipelining: 100, connect: { ca: tls.cert } },
  })
})
afterEach(async () => {
  await dispatcher.destroy()
  await fleet.stop()
  for (const session of sessions) session.destroy()
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
})

async function serve(who: string): Promise<object> {
  const server = createSecureServer(tls, (incoming, response) => {
    const seen: Seen = { who, baggage: incoming.headers['baggage']?.toString() ?? null, version: incoming.httpVersion }
    response.end(JSON.stringify(seen))
  })
  server.on('session', (session) => sessions.add(session))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { name: 'https', protocol: 'https', host: '127.0.0.1', port }
}

const WAYS: Readonly<Record<string, (url: string) => Promise<Seen>>> = {
  fetch: async (url) => (await (await undiciFetch(url, { dispatcher })).json()) as Seen,
  'request of undici': async (url) => (await (await request(url, { dispatcher })).body.json()) as Seen,
}
const TENANTS = Array.from({ length: 30 }, (_, index) => ['feature-x', 'feature-y', 'integration'][index % 3] ?? '')
const expected = (tenant: string): Seen => ({
  who: tenant === 'feature-x' ? 'feature-x/vault' : 'integration/vault',
  baggage: `tributary-tenant=${tenant}`,
  version: '2.0',
})

describe.each(Object.entries(WAYS))('a call over HTTP/2 by %s', (_way, call) => {
  it('goes to the copy that the tenant sees, one after the other and many at once over the same connections', async () => {
    for (const tenant of TENANTS.slice(0, 6)) {
      expect(await runWithTenant(tenant, () => call('https://vault/'))).toEqual(expected(tenant))
    }
    const answers = await Promise.all(TENANTS.map((tenant) => runWithTenant(tenant, () => call('https://vault/'))))
    expect(answers).toEqual(TENANTS.map(expected))
    expect(sessions.size).toBe(2)
  })
})

describe('a call over HTTP/2', () => {
  it('is heard of in its own context', async () => {
    const heard = async (): Promise<string[]> => {
      const { body } = await request('https://vault/', { dispatcher })
      const tenants: string[] = []
      return new Promise((resolve, reject) => {
        body.on('data', () => tenants.push(currentContext().tenant ?? 'none'))
        body.on('end', () => resolve([...tenants, currentContext().tenant ?? 'none']))
        body.on('error', reject)
      })
    }
    for (const tenant of TENANTS.slice(0, 6)) {
      expect(new Set(await runWithTenant(tenant, heard))).toEqual(new Set([tenant]))
    }
  })
})
