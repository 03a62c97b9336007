import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createConfigCenterClient, type ConfigCenterClient } from '@tributary/client'
import { connect, type ConnectOptions, type Tributary } from '@tributary/sdk'
import { ensureBuilt, freePort } from '@tributary/testkit'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ServerProcess } from '../support/server-process.js'
import { waitFor } from '../support/wait-for.js'

const BASE = 'integration'
const FEATURE = 'feature-x'
/** Until everybody has it, and on a busy machine that is later. */
const WAIT_MS = 60_000

const spec = (port: number): { endpoints: { name: string; protocol: 'http'; host: string; port: number }[] } => ({
  endpoints: [{ name: 'http', protocol: 'http', host: '127.0.0.1', port }],
})

/** A config center in a process of its own, which can be killed like a real one and started again at the same address. */
class ConfigCenterProcess {
  readonly dataDir: string
  readonly #port: number
  #server: ServerProcess | undefined

  constructor({ dataDir, port }: { readonly dataDir: string; readonly port: number }) {
    this.dataDir = dataDir
    this.#port = port
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  async start(): Promise<void> {
    const env = { TRIBUTARY_PORT: String(this.#port), TRIBUTARY_DATA_DIR: this.dataDir }
    this.#server = ServerProcess.launch({ service: 'config-center', env })
    await this.#server.urlIn('config center is ready')
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#server?.end(signal)
  }

  adminToken(): Promise<string> {
    return readFile(join(this.dataDir, 'admin.token'), 'utf8').then((text) => text.trim())
  }
}

let folder: string
let center: ConfigCenterProcess
let admin: ConfigCenterClient
let tokens: Record<string, string>
let clients: Tributary[]

beforeAll(async () => {
  await ensureBuilt('services/config-center')
}, 180_000)

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-sdk-it-'))
  clients = []
  center = new ConfigCenterProcess({ dataDir: join(folder, 'center'), port: await freePort() })
  await center.start()
  admin = createConfigCenterClient({ baseUrl: center.url, token: await center.adminToken() })
  await admin.applyTenant(BASE, { base: null })
  await admin.applyTenant(FEATURE, { base: BASE })
  await admin.applyEntry({ tenant: BASE, service: 'b' }, spec(8001))
  await admin.applyDocument({ tenant: BASE, service: 'a' }, { pageSize: 20, theme: 'light' })
  tokens = {}
  for (const tenant of [BASE, FEATURE]) {
    tokens[tenant] = (await admin.createToken({ name: tenant, role: 'tenant', tenant })).token
  }
}, 180_000)

afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await center.kill()
  await rm(folder, { recursive: true, force: true })
})

async function open(tenant: string, more: ConnectOptions = {}): Promise<Tributary> {
  const token = tokens[tenant] ?? ''
  const timing = { initialBackoffMs: 20, maxBackoffMs: 200, maxRefusedBackoffMs: 200 }
  const client = await connect({
    url: center.url,
    tenant,
    token,
    service: 'a',
    env: {},
    timing,
    require: 'ready',
    readyTimeoutMs: 60_000,
    ...more,
  })
  clients.push(client)
  return client
}

describe('the SDK with a real config center', () => {
  it('sees what is published, merged along the chain, before the publisher’s wait returns', async () => {
    const client = await open(FEATURE)
    expect(client.config.get('')).toEqual({ pageSize: 20, theme: 'light' })
    const seen: unknown[] = []
    client.config.onChange('pageSize', (now, before) => void seen.push([now, before]))
    const write = await admin.applyDocument({ tenant: FEATURE, service: 'a' }, { pageSize: 50 }, { waitMs: WAIT_MS })
    expect(write.convergence).toMatchObject({ converged: true, affected: 1, laggards: [] })
    expect(seen).toEqual([[50, 20]])
    expect(client.config.get('')).toEqual({ pageSize: 50, theme: 'light' })
  })

  it('tells the publisher why a value was refused, and keeps the last good one', async () => {
    const client = await open(FEATURE)
    client.config.onChange('pageSize', (now) => {
      if (typeof now !== 'number') throw new Error('a page size is a number')
    })
    const document = { tenant: FEATURE, service: 'a' }
    const bad = await admin.applyDocument(document, { pageSize: 'many' }, { waitMs: WAIT_MS })
    expect(bad.convergence).toMatchObject({ converged: false })
    expect(bad.convergence?.laggards[0]?.error).toBe('pageSize: a page size is a number')
    expect(client.config.get('pageSize')).toBe(20)
    const good = await admin.applyDocument(document, { pageSize: 7 }, { waitMs: WAIT_MS })
    expect(good.convergence).toMatchObject({ converged: true })
    expect(client.config.get('pageSize')).toBe(7)
  })

  it('resolves for every tenant of the tree, and falls back at once when an entry goes', async () => {
    const [base, feature] = [await open(BASE), await open(FEATURE)]
    const ref = { tenant: FEATURE, service: 'b' }
    await admin.applyEntry(ref, spec(8002), { waitMs: WAIT_MS })
    expect(feature.resolve('b')).toMatchObject({ state: 'own', owner: FEATURE, url: 'http://127.0.0.1:8002' })
    await waitFor('the route is known', () => base.resolve('b', { tenant: FEATURE }).owner === FEATURE)
    expect(base.resolve('b')).toMatchObject({ state: 'own', owner: BASE })
    await admin.maskEntry(ref, { waitMs: WAIT_MS })
    expect(feature.resolve('b').state).toBe('masked')
    await waitFor('the mask is known', () => base.resolve('b', { tenant: FEATURE }).state === 'masked')
    await admin.deleteEntry(ref, { waitMs: WAIT_MS })
    expect(feature.resolve('b')).toMatchObject({ state: 'inherited', owner: BASE, url: 'http://127.0.0.1:8001' })
  })

  it('is STALE while the server is killed, and READY with everything after its restart', async () => {
    const client = await open(FEATURE)
    const states: string[] = []
    const seen: unknown[] = []
    client.onStateChange((now) => states.push(now.state))
    client.config.onChange('pageSize', (now) => void seen.push(now))
    for (let round = 1; round <= 3; round += 1) {
      await center.kill()
      await waitFor('the client is STALE', () => client.status.state === 'STALE')
      expect(client.config.get('theme')).toBe('light')
      await center.start()
      await waitFor('the client is READY', () => client.status.state === 'READY')
      await admin.applyDocument({ tenant: FEATURE, service: 'a' }, { pageSize: 100 + round }, { waitMs: WAIT_MS })
    }
    expect(seen).toEqual([101, 102, 103])
    expect(states).toEqual(['STALE', 'READY', 'STALE', 'READY', 'STALE', 'READY'])
    expect(client.diagnosticCounts.hash_mismatch).toBeUndefined()
  })

  it('misses nothing of many writes across restarts, and ends with the server’s view', async () => {
    const client = await open(FEATURE)
    let last = ''
    for (let round = 0; round < 4; round += 1) {
      for (let write = 0; write < 15; write += 1) {
        const theme = `r${round}w${write}`
        const service = `s${write % 5}`
        await admin.applyDocument({ tenant: BASE, service: 'a' }, { theme })
        await admin.applyEntry({ tenant: write % 2 === 0 ? BASE : FEATURE, service }, spec(9_000 + round * 20 + write))
        last = theme
      }
      await center.kill(round % 2 === 0 ? 'SIGKILL' : 'SIGTERM')
      await center.start()
    }
    await waitFor(
      'the last write is there',
      () => client.config.get('theme') === last && client.status.state === 'READY',
    )
    const view = await admin.getView(FEATURE, { service: 'a' })
    await waitFor('all services are there', () => {
      for (const [name, service] of Object.entries(view.services)) {
        const { owner, endpoints } = client.resolve(name)
        expect({ owner, endpoints }).toEqual({ owner: service.owner, endpoints: service.endpoints })
      }
      return true
    })
    const table = await admin.getRouteTable(FEATURE)
    for (const [service, entry] of Object.entries(table.tenants[BASE]?.entries ?? {})) {
      expect(client.resolve(service, { tenant: BASE }).endpoints).toEqual(entry.endpoints)
    }
    expect(client.diagnosticCounts.hash_mismatch).toBeUndefined()
    expect(client.diagnosticCounts.delta_gap).toBeUndefined()
  })

  it('starts from its snapshot while the server is down, and catches up', async () => {
    const snapshotDir = join(folder, 'snapshots')
    const first = await open(FEATURE, { snapshotDir })
    await first.close()
    await center.kill()
    const client = await open(FEATURE, { snapshotDir, require: 'nothing' })
    expect(client.status.state).toBe('STALE')
    expect(client.config.get('pageSize')).toBe(20)
    expect(client.resolve('b').owner).toBe(BASE)
    await center.start()
    await admin.applyDocument({ tenant: FEATURE, service: 'a' }, { pageSize: 3 })
    await waitFor('the change is there', () => client.config.get('pageSize') === 3)
  })

  it('takes the older state of a store that was restored from a backup, after it has made sure', async () => {
    const backup = join(folder, 'backup')
    await center.kill('SIGTERM')
    await cp(center.dataDir, backup, { recursive: true })
    await center.start()
    const client = await open(FEATURE)
    const document = { tenant: FEATURE, service: 'a' }
    for (const pageSize of [30, 31, 32]) await admin.applyDocument(document, { pageSize }, { waitMs: WAIT_MS })
    expect(client.config.get('pageSize')).toBe(32)
    await center.kill()
    await rm(center.dataDir, { recursive: true })
    await cp(backup, center.dataDir, { recursive: true })
    await center.start()
    await waitFor('the restored state is there', () => client.config.get('pageSize') === 20)
    await waitFor('the client is READY', () => client.status.state === 'READY')
    expect(client.diagnosticCounts.history_reset).toBe(1)
    await admin.applyDocument(document, { pageSize: 40 }, { waitMs: WAIT_MS })
    expect(client.config.get('pageSize')).toBe(40)
  })

  it('keeps serving in ERROR when a wiped server no longer knows its token', async () => {
    const client = await open(FEATURE)
    await center.kill()
    await rm(center.dataDir, { recursive: true })
    await center.start()
    await waitFor('the client is in ERROR', () => client.status.state === 'ERROR')
    expect(client.config.get('pageSize')).toBe(20)
    expect(client.resolve('b').owner).toBe(BASE)
  })

  it('gives ERROR when the token is revoked, and keeps serving', async () => {
    const client = await open(FEATURE)
    const { tokens: listed } = await admin.listTokens()
    const mine = listed.find(({ name }) => name === FEATURE)
    await admin.revokeToken(mine?.tokenId ?? '')
    await waitFor('the client is in ERROR', () => client.status.state === 'ERROR')
    expect(client.config.get('pageSize')).toBe(20)
  })

  it('registers itself, and its subscribers fall back when the lease is lost', async () => {
    const observer = await open(BASE)
    const server = await open(FEATURE, { service: 'b', instance: 'b-1' })
    const registration = await server.register({ ...spec(8100), version: 'v1.2.3', ttlSeconds: 2 })
    await waitFor('the instance is seen', () => observer.resolve('b', { tenant: FEATURE }).owner === FEATURE)
    await waitFor('its own view has it', () => server.resolve('b').version === 'v1.2.3')
    await registration.close()
    expect(registration.state).toBe('closed')
    await waitFor('callers fall back', () => observer.resolve('b', { tenant: FEATURE }).owner === BASE)

    const owners: unknown[] = []
    observer.onResolve('b', ({ owner }) => void owners.push(owner), { tenant: FEATURE })
    await beatOnce()
    await waitFor('callers see it, its lease ends, and they fall back', () => owners.length >= 2)
    expect(owners).toEqual([FEATURE, BASE])
  })

  it('keeps its registration across a restart of the server', async () => {
    const observer = await open(BASE)
    const server = await open(FEATURE, { service: 'b', instance: 'b-1' })
    const registration = await server.register({ ...spec(8100), ttlSeconds: 2 })
    await center.kill()
    await waitFor('the loss is noticed', () => registration.state === 'lost')
    await center.start()
    await waitFor('it is registered again', () => registration.state === 'registered')
    await waitFor(
      'callers see it',
      () => observer.status.state === 'READY' && observer.resolve('b', { tenant: FEATURE }).owner === FEATURE,
    )
    expect(observer.resolve('b', { tenant: FEATURE }).url).toBe('http://127.0.0.1:8100')
  })
})

/** One heartbeat and never another: what a process that dies leaves behind. */
async function beatOnce(): Promise<void> {
  const client = createConfigCenterClient({ baseUrl: center.url, token: tokens[FEATURE] ?? '' })
  await client.registerInstance(
    { tenant: FEATURE, service: 'b', instance: 'b-dying' },
    { spec: spec(8200), ttlSeconds: 2 },
  )
}
