import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { get as httpGet, type IncomingMessage } from 'node:http'
import { createServer, get, type Server } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import axios from 'axios'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { fetch as undiciFetch, request, type Dispatcher } from 'undici'
import { runWithTenant } from '../context/routing-context.js'
import type { Tributary } from '../tributary.js'
import { createDispatcher } from '../undici.js'
import { echo, Fleet, type Echo } from './fleet.test-support.js'
import { createAgents, type RoutingAgents } from './node-agents.js'

let folder: string
let key: Buffer
let cert: Buffer
let fleet: Fleet
let client: Tributary
let dispatcher: Dispatcher
let agents: RoutingAgents
const servers = new Map<string, Server>()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-tls-'))
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-batch']
  const about = ['-subj', '/CN=vault', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2']
  await promisify(execFile)('openssl', [...made, '-keyout', keyFile, '-out', certFile, ...about])
  key = await readFile(keyFile)
  cert = await readFile(certFile)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

beforeEach(async () => {
  fleet = new Fleet()
  await fleet.start([])
  const routes: Record<string, unknown> = { 'tenant/feature-x': { base: 'integration' } }
  for (const who of ['integration/vault', 'feature-x/vault']) {
    routes[`entry/${who}`] = { state: 'present', endpoints: [endpoint(await serve(who))] }
  }
  const endpoints = [endpoint(portOf('integration/vault'))]
  fleet.center.publish({ 'service/vault': { state: 'own', owner: 'integration', endpoints } }, routes)
  client = await fleet.client()
  await expect.poll(() => client.resolve('vault', { tenant: 'feature-x' }).owner).toBe('feature-x')
  dispatcher = createDispatcher(client, { agent: { connect: { ca: cert } } })
  agents = createAgents(client, { ca: cert })
})
afterEach(async () => {
  await dispatcher.close()
  for (const agent of Object.values(agents)) agent.destroy()
  await fleet.stop()
  for (const name of servers.keys()) await kill(name)
})

const endpoint = (port: number) => ({ name: 'https', protocol: 'https', host: '127.0.0.1', port })

const CLEAR = { name: 'http', protocol: 'http' }

/** The error that tells why, below whatever the library wraps around it. */
function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error
}

async function serve(who: string): Promise<number> {
  const server = createServer({ key, cert }, echo(who))
  servers.set(who, server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return portOf(who)
}

function portOf(who: string): number {
  const address = servers.get(who)?.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function kill(who: string): Promise<void> {
  const server = servers.get(who)
  servers.delete(who)
  const closed = new Promise((resolve) => server?.close(resolve))
  server?.closeAllConnections()
  await closed
}

function nodeGet(url: string): Promise<Echo> {
  return new Promise((resolve, reject) => {
    const onResponse = (response: IncomingMessage): void => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(JSON.parse(text) as Echo))
    }
    const isSecure = url.startsWith('https:')
    const sent = isSecure
      ? get(url, { agent: agents.httpsAgent }, onResponse)
      : httpGet(url, { agent: agents.httpAgent }, onResponse)
    sent.on('error', reject)
  })
}

const WAYS: Readonly<Record<string, (url: string) => Promise<Echo>>> = {
  fetch: async (url) => (await (await undiciFetch(url, { dispatcher })).json()) as Echo,
  'request of undici': async (url) => (await (await request(url, { dispatcher })).body.json()) as Echo,
  axios: async (url) => (await axios.get<Echo>(url, { ...agents, proxy: false })).data,
  'node:https': nodeGet,
}

describe.each(Object.entries(WAYS))('a call over TLS by %s', (_way, call) => {
  it('goes to the copy that the tenant sees, whose certificate is checked for its own address', async () => {
    for (const tenant of ['feature-x', 'integration']) {
      const answer = await runWithTenant(tenant, () => call('https://vault/keys'))
      expect(answer).toMatchObject({ who: `${tenant}/vault`, path: '/keys', baggage: `tributary-tenant=${tenant}` })
      expect(answer.host).toMatch(/^127\.0\.0\.1:/)
    }
  })

  it('never mixes up tenants that call at once', async () => {
    const tenants = Array.from({ length: 30 }, (_, index) => (index % 2 === 0 ? 'feature-x' : 'integration'))
    const answers = await Promise.all(tenants.map((tenant) => runWithTenant(tenant, () => call('https://vault/'))))
    expect(answers.map(({ who }) => who)).toEqual(tenants.map((tenant) => `${tenant}/vault`))
  })

  it('is looked for once more when its address refuses', async () => {
    const dead = client.resolve('vault', { tenant: 'feature-x' }).endpoints[0]?.port ?? 0
    const moved = await serve('moved')
    await kill('feature-x/vault')
    const endpoints = [endpoint(dead), endpoint(moved)]
    fleet.center.publish({}, { 'entry/feature-x/vault': { state: 'present', endpoints } })
    await expect.poll(() => client.resolve('vault', { tenant: 'feature-x' }).endpoints.length).toBe(2)
    const answers = await Promise.all([1, 2, 3, 4].map(() => runWithTenant('feature-x', () => call('https://vault/'))))
    expect(answers.map(({ who }) => who)).toEqual(['moved', 'moved', 'moved', 'moved'])
  })
})

describe.each(Object.entries(WAYS))('a service with endpoints of both protocols, called by %s', (_way, call) => {
  const publish = async (endpoints: readonly object[]): Promise<void> => {
    fleet.center.publish({}, { 'entry/feature-x/vault': { state: 'present', endpoints } })
    await expect.poll(() => client.resolve('vault', { tenant: 'feature-x' }).endpoints).toEqual(endpoints)
  }
  const atHttp = async () => ({ ...endpoint(await fleet.serve('in the clear', echo('in the clear'))), ...CLEAR })

  it('is called by the protocol of the URL, whichever is its primary one', async () => {
    const [clear, secure] = [await atHttp(), endpoint(portOf('feature-x/vault'))]
    for (const endpoints of [
      [clear, secure],
      [secure, clear],
    ]) {
      await publish(endpoints)
      const answers = await runWithTenant('feature-x', () =>
        Promise.all([call('https://vault/'), call('http://vault/')]),
      )
      expect(answers.map(({ who }) => who)).toEqual(['feature-x/vault', 'in the clear'])
    }
  })

  it('is never called in the clear by a URL that says https', async () => {
    await publish([await atHttp()])
    const failure = await runWithTenant('feature-x', () => call('https://vault/').catch(rootOf))
    expect(failure).toMatchObject({ code: 'SERVICE_NOT_FOUND' })
    expect(String(failure)).toContain('no endpoint of it is of protocol https')
  })
})

test.each(['fetch', 'request of undici'])('%s calls by http a service that has only TLS', async (way) => {
  const answer = await runWithTenant('feature-x', () => WAYS[way]?.('http://vault/'))
  expect(answer).toMatchObject({ who: 'feature-x/vault', baggage: 'tributary-tenant=feature-x' })
})

test('a certificate of another authority is refused, and the call is not tried elsewhere', async () => {
  const strict = createAgents(client)
  const ask = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      get('https://vault/', { agent: strict.httpsAgent }, reject).on('error', resolve)
    })
  expect(await runWithTenant('feature-x', ask)).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
})
