import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAppError } from '@tributary/kit'
import { Type } from 'typebox'
import { eventually } from '@tributary/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ConnectOptions } from './config.js'
import { connect } from './connect.js'
import type { Diagnostic } from './diagnostics.js'
import { FakeConfigCenter, servedAt } from './fake-config-center.test-support.js'
import type { Tributary } from './tributary.js'

let server: FakeConfigCenter
let clients: Tributary[]
let folder: string
let diagnostics: Diagnostic[]

beforeEach(async () => {
  server = new FakeConfigCenter()
  clients = []
  diagnostics = []
  folder = await mkdtemp(join(tmpdir(), 'tributary-sdk-'))
  server.seed({ 'config/a': { pageSize: 20 }, 'service/b': servedAt('integration', 8001, 'inherited') })
  await server.start()
})

afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

async function open(options: ConnectOptions = {}): Promise<Tributary> {
  const onDiagnostic = (diagnostic: Diagnostic): void => void diagnostics.push(diagnostic)
  const client = await connect(server.options({ snapshotDelayMs: 1, onDiagnostic, ...options }))
  clients.push(client)
  return client
}

function snapshots(): Promise<string[]> {
  return readdir(folder)
}

async function snapshotPath(): Promise<string> {
  const [name] = await eventually(async () => {
    const names = await snapshots()
    expect(names.filter((each) => each.endsWith('.snapshot'))).toHaveLength(1)
    return names
  })
  return join(folder, name ?? '')
}

describe('connect', () => {
  it('reads its settings from the environment', async () => {
    const client = await connect({
      env: {
        TRIBUTARY_URL: server.url,
        TRIBUTARY_TENANT: 'feature-x',
        TRIBUTARY_TOKEN: 't',
        TRIBUTARY_SERVICE: 'a',
        TRIBUTARY_INSTANCE: 'a-7',
      },
    })
    clients.push(client)
    expect(client).toMatchObject({ tenant: 'feature-x', service: 'a', instance: 'a-7' })
    expect(client.config.get('pageSize')).toBe(20)
  })

  it('lists everything that is wrong at once, without the token', async () => {
    const attempt = connect({
      env: { TRIBUTARY_URL: 'ftp://x', TRIBUTARY_TENANT: 'Feature/X', TRIBUTARY_TOKEN: 'se\ncret' },
    })
    const error = await attempt.catch((thrown: unknown) => thrown)
    expect(isAppError(error, 'SDK_OPTIONS_INVALID')).toBe(true)
    expect(String(error)).toMatch(/http:\/\/.*TRIBUTARY_TENANT.*TRIBUTARY_TOKEN/)
    expect(String(error)).not.toContain('cret')
  })

  it.each([
    ['a missing URL', { TRIBUTARY_TENANT: 'x', TRIBUTARY_TOKEN: 't' }, 'TRIBUTARY_URL'],
    [
      'credentials in the URL',
      { TRIBUTARY_URL: 'http://u:p@h', TRIBUTARY_TENANT: 'x', TRIBUTARY_TOKEN: 't' },
      'credentials',
    ],
    ['an empty token', { TRIBUTARY_URL: 'http://h', TRIBUTARY_TENANT: 'x', TRIBUTARY_TOKEN: '' }, 'token is missing'],
  ])('refuses %s', async (_title, env, words) => {
    await expect(connect({ env })).rejects.toThrow(words)
  })

  it('gives a client in NOT_READY when nothing answers, whose reads do not throw', async () => {
    await server.stop()
    const client = await open({ readyTimeoutMs: 20 })
    expect(client.status.state).toBe('NOT_READY')
    expect(client.config.get('pageSize')).toBeUndefined()
    expect(client.config.get('pageSize', Type.Integer(), { default: 5 })).toBe(5)
    expect(client.resolve('b')).toMatchObject({ state: 'missing', endpoints: [] })
    expect(() => client.urlFor('b', '/')).toThrow(expect.objectContaining({ code: 'SDK_NOT_READY' }))
    await server.start()
    await eventually(() => expect(client.status.state).toBe('READY'))
    expect(client.urlFor('b', 'x')).toBe('http://127.0.0.1:8001/x')
  })

  it('rejects when READY is required and does not come, leaving nothing open', async () => {
    await server.stop()
    const attempt = open({ readyTimeoutMs: 20, require: 'ready' })
    await expect(attempt).rejects.toMatchObject({ code: 'SDK_NOT_READY' })
  })

  it('rejects at once when READY is required and the token is refused', async () => {
    server.streamStatus = 401
    await expect(open({ require: 'ready', readyTimeoutMs: 60_000 })).rejects.toThrow('CODE_401')
  })

  it('reads the tenant-wide document without a service', async () => {
    server.seed({ 'config/*': { theme: 'dark' } })
    const { service: _service, ...options } = server.options()
    const client = await connect(options)
    clients.push(client)
    expect(client.config.get('theme')).toBe('dark')
    expect(server.stream.query.has('service')).toBe(false)
  })

  it('closes idempotently and keeps giving the last values', async () => {
    const client = await open()
    await Promise.all([client.close(), client.close()])
    await eventually(() => expect(server.openStreams).toHaveLength(0))
    expect(client.config.get('pageSize')).toBe(20)
    expect(client.status.state).toBe('STALE')
  })
})

describe('close', () => {
  it('does not wait for a change handler that hangs', async () => {
    const client = await open({ handlerTimeoutMs: 600_000 })
    let called = false
    client.config.onChange('pageSize', () => {
      called = true
      return new Promise(() => undefined)
    })
    server.publish({ 'config/a': { pageSize: 21 } })
    await eventually(() => expect(called).toBe(true))
    await client.close()
    expect(client.status.reason).toBe('the client was closed')
  })

  it('does not wait for a report that hangs or a reconnect that is far away', async () => {
    const client = await open({ timing: { initialBackoffMs: 600_000, maxBackoffMs: 600_000 } })
    server.reportStatus = 503
    server.publish({ 'config/a': { pageSize: 21 } })
    await server.stop()
    await eventually(() => expect(client.status.state).toBe('STALE'))
    await client.close()
    expect(client.status.reason).toBe('the client was closed')
  })

  it('writes the snapshot that was still waiting', async () => {
    const client = await open({ snapshotDir: folder, snapshotDelayMs: 600_000 })
    await client.close()
    expect(await readFile(await snapshotPath(), 'utf8')).toContain('pageSize')
  })

  it('leaves no timer, socket or listener behind', async () => {
    const busy = (): readonly string[] =>
      process.getActiveResourcesInfo().filter((kind) => /Timeout|Immediate/.test(kind))
    const before = busy().length
    const client = await open({ snapshotDir: folder })
    await client.register({ endpoints: [], ttlSeconds: 2 })
    expect(busy().length).toBeGreaterThan(before)
    await client.close()
    await new Promise((resolve) => setImmediate(resolve))
    expect(busy().length).toBeLessThanOrEqual(before)
  })
})

describe('a disk snapshot', () => {
  it('lets a client start while the config center is down, as STALE, and catch up later', async () => {
    const first = await open({ snapshotDir: folder })
    await first.close()
    await server.stop()
    const client = await open({ snapshotDir: folder, readyTimeoutMs: 60_000 })
    expect(client.status.state).toBe('STALE')
    expect(client.config.get('pageSize')).toBe(20)
    expect(client.resolve('b').url).toBe('http://127.0.0.1:8001')
    server.publish({ 'config/a': { pageSize: 21 } })
    await server.start()
    await eventually(() => expect(client.config.get('pageSize')).toBe(21))
  })

  it('does not keep the start waiting for a config center that hangs', async () => {
    const first = await open({ snapshotDir: folder })
    await first.close()
    server.onStream = () => undefined
    const client = await open({ snapshotDir: folder, readyTimeoutMs: 60_000 })
    expect(client.status.state).toBe('STALE')
  })

  it('resumes from its hash instead of loading everything again', async () => {
    const first = await open({ snapshotDir: folder })
    await first.close()
    await open({ snapshotDir: folder })
    expect(server.stream.query.get('viewHash')).toBe(server.hash('view'))
  })

  it('is for its owner only and follows changes', async () => {
    await open({ snapshotDir: folder })
    const path = await snapshotPath()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    server.publish({ 'config/a': { pageSize: 4242 } })
    await eventually(async () => expect(await readFile(path, 'utf8')).toContain('4242'))
    expect(await readFile(path, 'utf8')).not.toContain('secret')
    expect(await snapshots()).toHaveLength(1)
  })

  const damages: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
    ['cut short', (bytes) => bytes.subarray(0, bytes.length - 20)],
    ['empty', () => Buffer.alloc(0)],
    ['changed by one bit', (bytes) => flipBit(bytes, bytes.length - 30)],
    ['changed in its header', (bytes) => flipBit(bytes, 25)],
    ['not ours at all', () => Buffer.from('{"pageSize":666}')],
  ]

  it.each(damages)('is ignored with a diagnostic when it is %s', async (_title, damage) => {
    const first = await open({ snapshotDir: folder })
    await first.close()
    const path = await snapshotPath()
    await writeFile(path, damage(await readFile(path)))
    await server.stop()
    const client = await open({ snapshotDir: folder, readyTimeoutMs: 20 })
    expect(client.status.state).toBe('NOT_READY')
    expect(client.config.get('pageSize')).toBeUndefined()
    expect(client.diagnosticCounts.snapshot_ignored).toBe(1)
  })

  it('of another tenant is never read, not even under the right name', async () => {
    const other = await open({ snapshotDir: folder, tenant: 'feature-y' })
    await other.close()
    const foreign = await readFile(await snapshotPath())
    const mine = await open({ snapshotDir: folder })
    await mine.close()
    for (const name of await snapshots()) await writeFile(join(folder, name), foreign)
    await server.stop()
    const client = await open({ snapshotDir: folder, readyTimeoutMs: 20 })
    expect(client.status.state).toBe('NOT_READY')
    expect(diagnostics.at(-1)?.code === 'snapshot_ignored' || client.diagnosticCounts.snapshot_ignored === 1).toBe(true)
  })

  it('of another server is not read', async () => {
    const first = await open({ snapshotDir: folder })
    await first.close()
    const client = await open({ snapshotDir: folder, url: 'http://127.0.0.1:1', readyTimeoutMs: 20 })
    expect(client.status.state).toBe('NOT_READY')
    expect(client.diagnosticCounts.snapshot_ignored).toBeUndefined()
  })

  it('that cannot be written is a diagnostic and nothing else', async () => {
    await writeFile(join(folder, 'file'), '')
    const client = await open({ snapshotDir: join(folder, 'file', 'below') })
    await eventually(() => expect(client.diagnosticCounts.snapshot_write_failed).toBe(1))
    expect(client.status.state).toBe('READY')
  })
})

function flipBit(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

describe('applied reports', () => {
  it('name the revision and hash after the handlers ran', async () => {
    const client = await open()
    let handled = false
    client.config.onChange('pageSize', async () => {
      await new Promise((resolve) => setImmediate(resolve))
      expect(server.reports.every(({ appliedRevision }) => appliedRevision === '1')).toBe(true)
      handled = true
    })
    server.publish({ 'config/a': { pageSize: 21 } })
    const report = { appliedRevision: '2', viewHash: server.hash('view'), subscriptionId: 's-1' }
    await eventually(() => expect(server.reports.at(-1)).toEqual(report))
    expect(handled).toBe(true)
  })

  it('come for changes of routes too', async () => {
    await open()
    server.publish({}, { 'entry/feature-x/z': { state: 'present', endpoints: [] } })
    await eventually(() => expect(server.reports.at(-1)?.appliedRevision).toBe('2'))
  })

  it('carry the error of a handler that throws, the last good value stays, and the next good change heals it', async () => {
    const client = await open()
    const seen: unknown[] = []
    client.config.onChange('pageSize', (now, before) => {
      if (now === 666) throw new Error('too many')
      seen.push([now, before])
    })
    server.publish({ 'config/a': { pageSize: 666, other: 1 } })
    await eventually(() =>
      expect(server.reports.at(-1)).toMatchObject({ appliedRevision: '2', error: 'pageSize: too many' }),
    )
    expect(client.config.get('pageSize')).toBe(20)
    expect(client.config.get('')).toEqual({ pageSize: 20, other: 1 })
    expect(client.reloadErrors).toEqual(['pageSize: too many'])
    server.publish({ 'config/a': { pageSize: 30 } })
    await eventually(() => expect(server.reports.at(-1)).toMatchObject({ appliedRevision: '3' }))
    expect(server.reports.at(-1)).not.toHaveProperty('error')
    expect(client.config.get('pageSize')).toBe(30)
    expect(seen).toEqual([[30, 20]])
  })

  it('carry the error of a value that does not fit its schema', async () => {
    const client = await open()
    const schema = Type.Integer({ maximum: 100 })
    expect(client.config.get('pageSize', schema)).toBe(20)
    server.publish({ 'config/a': { pageSize: 'many' } })
    await eventually(() => expect(server.reports.at(-1)?.error).toContain('pageSize: must be'))
    expect(client.config.get('pageSize', schema)).toBe(20)
  })

  it('are tried again after an outage of the endpoint', async () => {
    const client = await open()
    await eventually(() => expect(server.reports).toHaveLength(1))
    server.reportStatus = 503
    server.publish({ 'config/a': { pageSize: 21 } })
    await eventually(() => expect(client.config.get('pageSize')).toBe(21))
    server.reportStatus = undefined
    await eventually(() => expect(server.reports.at(-1)?.appliedRevision).toBe('2'))
  })

  it('look for the replica that holds the stream', async () => {
    await open()
    await eventually(() => expect(server.reports).toHaveLength(1))
    server.reportStatus = 404
    server.publish({ 'config/a': { pageSize: 21 } })
    await eventually(() => expect(server.reportConnections.size).toBeGreaterThan(2))
    server.reportStatus = undefined
    await eventually(() => expect(server.reports.at(-1)?.appliedRevision).toBe('2'))
  })

  it('are merged while one is on its way', async () => {
    await open()
    await eventually(() => expect(server.reports).toHaveLength(1))
    for (let size = 1; size <= 200; size += 1) server.publish({ 'config/a': { pageSize: size } })
    await eventually(() => expect(server.reports.at(-1)?.appliedRevision).toBe('201'))
    expect(server.reports.length).toBeLessThan(100)
  })
})

describe('registration', () => {
  const spec = {
    endpoints: [{ name: 'http', protocol: 'http', host: '127.0.0.1', port: 9000 }],
    version: 'v1',
  } as const

  it('registers the instance with its lease, beats, and deregisters on close', async () => {
    const client = await open()
    const registration = await client.register({ ...spec, ttlSeconds: 0.06 })
    expect(registration.state).toBe('registered')
    const path = '/v1/tenants/feature-x/entries/a/instances/a-1'
    expect(server.leaseRequests[0]).toEqual({ method: 'PUT', path, body: { spec, ttlSeconds: 0.06 } })
    await eventually(() => expect(server.leaseRequests.length).toBeGreaterThan(3))
    await client.close()
    expect(server.leaseRequests.at(-1)).toMatchObject({ method: 'DELETE', path })
    expect(registration.state).toBe('closed')
  })

  it('says that the lease is lost and registers again', async () => {
    const client = await open()
    const registration = await client.register({ ...spec, ttlSeconds: 0.06 })
    server.leaseStatus = 503
    await eventually(() => expect(registration.state).toBe('lost'))
    expect(client.diagnosticCounts.registration_lost).toBe(1)
    server.leaseStatus = undefined
    await eventually(() => expect(registration.state).toBe('registered'))
  })

  it('waits out an outage', async () => {
    const client = await open()
    server.leaseStatus = 503
    const pending = client.register({ ...spec, ttlSeconds: 2 })
    await eventually(() => expect(server.leaseRequests.length).toBeGreaterThan(1))
    server.leaseStatus = undefined
    expect((await pending).state).toBe('registered')
  })

  it('rejects when it is refused', async () => {
    const client = await open()
    server.leaseStatus = 403
    await expect(client.register(spec)).rejects.toMatchObject({ code: 'SDK_REGISTRATION_REFUSED' })
  })

  it('is a clear error without a service', async () => {
    const { service: _service, ...options } = server.options()
    const client = await connect(options)
    clients.push(client)
    await expect(client.register(spec)).rejects.toThrow('TRIBUTARY_SERVICE')
  })

  it('says so when it cannot deregister, and closes all the same', async () => {
    const client = await open()
    const registration = await client.register(spec)
    server.leaseStatus = 503
    await client.close()
    expect(registration.state).toBe('closed')
    expect(client.diagnosticCounts.deregistration_failed).toBe(1)
  })

  it('rejects when the client closes meanwhile', async () => {
    const client = await open()
    server.leaseStatus = 503
    const pending = client.register(spec).catch((error: unknown) => error)
    await eventually(() => expect(server.leaseRequests.length).toBeGreaterThan(0))
    await client.close()
    expect(await pending).toMatchObject({ code: 'SDK_CLOSED' })
  })
})

describe('onResolve', () => {
  it('tells when a service falls back, and not when something else changes', async () => {
    const client = await open()
    const seen: string[] = []
    const stop = client.onResolve('b', (now, before) => seen.push(`${before.owner} -> ${now.owner}`))
    server.publish({ 'service/b': servedAt('feature-x', 8002) })
    server.publish({ 'config/a': { pageSize: 1 }, 'service/c': servedAt('feature-x', 1) })
    server.publish({ 'service/b': servedAt('integration', 8001, 'inherited') })
    await eventually(() => expect(client.appliedRevision).toBe('4'))
    expect(seen).toEqual(['integration -> feature-x', 'feature-x -> integration'])
    stop()
    server.publish({ 'service/b': null })
    await eventually(() => expect(client.appliedRevision).toBe('5'))
    expect(seen).toHaveLength(2)
  })

  it('survives a handler that throws', async () => {
    const client = await open()
    client.onResolve('b', () => {
      throw new Error('mine')
    })
    server.publish({ 'service/b': null })
    await eventually(() => expect(client.diagnosticCounts.handler_failed).toBe(1))
    expect(client.status.state).toBe('READY')
  })
})
