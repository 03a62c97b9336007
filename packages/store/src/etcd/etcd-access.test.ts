import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect, promisify } from 'node:util'
import { isAppError } from '@tributary/kit'
import { describeWithEtcd, type EtcdServer, eventually } from '@tributary/testkit'
import { Etcd3, Range } from 'etcd3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { RecordingWriter, refusal, useEtcd } from './etcd-fixture.test-support.js'

const ROOT = { username: 'root', password: 'root-secret-3f1c' }
const READER = { username: 'tributary', password: 'store-secret-9a7e' }

describeWithEtcd('an etcd that asks who calls', () => {
  const etcd = useEtcd()

  it('is used with a user that may write below the prefix, and nothing else', async () => {
    const server = await etcd.server()
    ;(await enableUsers(server)).close()
    const store = await etcd.store(server.endpoint, { credentials: READER })
    const writer = new RecordingWriter(store)
    const watch = etcd.watch(store, await writer.put('a', '1'))
    const { leaseId } = await store.grantLease(60_000)
    await writer.write({ kind: 'put', key: 'b', value: '1', leaseId })
    await store.keepLeaseAlive(leaseId)
    await watch.reaches(writer.last)
    expect(await refusal(etcd.store(server.endpoint, { credentials: READER, prefix: 'other/' }))).toBe(
      'STORE_ACCESS_DENIED',
    )
  })

  it('is given a new token by itself when the old one is no good any more, on watches too', async () => {
    const server = await etcd.server()
    ;(await enableUsers(server)).close()
    const store = await etcd.store(server.endpoint, { credentials: READER, watchOutageMs: 60_000 })
    const writer = new RecordingWriter(store)
    const watch = etcd.watch(store, await writer.put('a', '1'))
    await writer.put('a', '2')
    await watch.reaches(writer.last)
    // Simple tokens live in the server's memory only.
    await server.kill()
    await server.restart()
    await eventually(() => writer.put('a', '3'))
    await watch.reaches(writer.last)
    expect(watch.changes.map((change) => change.replace(/^\d+: /, ''))).toEqual(['a=2', 'a=3'])
    expect(watch.endings).toEqual([])
  })

  it('refuses a wrong password, no password and an unknown user, and no error repeats a credential', async () => {
    const server = await etcd.server()
    ;(await enableUsers(server)).close()
    const attempts = [
      { credentials: { username: READER.username, password: 'wrong-secret-77' } },
      { credentials: { username: 'nobody', password: 'wrong-secret-77' } },
      {},
    ]
    for (const options of attempts) {
      const error: unknown = await etcd.store(server.endpoint, options).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'STORE_ACCESS_DENIED', kind: 'unavailable', retryable: false })
      expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('secret')
    }
  })

  it('ends a watch whose permission is taken away', async () => {
    const server = await etcd.server()
    const root = await enableUsers(server)
    const store = await etcd.store(server.endpoint, { credentials: READER })
    const after = await store.currentRevision()
    await root.role('store').revoke({ permission: 'Readwrite', range: Range.prefix('test/') })
    const watch = etcd.watch(store, after)
    root.close()
    expect(await watch.ending()).toBe('STORE_ACCESS_DENIED')
    expect(await refusal(store.currentRevision())).toBe('STORE_ACCESS_DENIED')
  })

  it('needs no password while its users are not enabled', async () => {
    const server = await etcd.server()
    const store = await etcd.store(server.endpoint, { credentials: READER })
    expect(await new RecordingWriter(store).put('a', '1')).toBeGreaterThan(0n)
  })
})

describeWithEtcd('an etcd behind TLS', () => {
  const etcd = useEtcd()
  let files = ''
  beforeAll(async () => {
    files = await mkdtemp(join(tmpdir(), 'tributary-tls-'))
    await makeCertificates(files)
  })
  afterAll(async () => {
    await rm(files, { recursive: true, force: true })
  })

  it('is used with its authority and a client certificate, and not without', async () => {
    const file = (name: string): string => join(files, name)
    const pem = (name: string): Promise<string> => readFile(file(name), 'utf8')
    const tls = { certFile: file('server.pem'), keyFile: file('server.key'), clientCaFile: file('ca.pem') }
    const server = await etcd.server({ tls })
    const known = { ca: await pem('ca.pem'), cert: await pem('client.pem'), key: await pem('client.key') }
    const store = await etcd.store(server.endpoint, { tls: known })
    const writer = new RecordingWriter(store)
    const watch = etcd.watch(store, await writer.put('a', '1'))
    await writer.put('a', '2')
    await watch.reaches(writer.last)
    const brief = { callTimeoutMs: 1_000 }
    expect(await refusal(etcd.store(server.endpoint, { tls: { ca: known.ca }, ...brief }))).toBe('STORE_UNAVAILABLE')
    expect(await refusal(etcd.store(server.endpoint, { tls: {}, ...brief }))).toBe('STORE_UNAVAILABLE')
    expect(await refusal(etcd.store(server.endpoint.replace('https', 'http'), brief))).toBe('STORE_UNAVAILABLE')
  })
})

describeWithEtcd('an etcd whose quota is used up', () => {
  const etcd = useEtcd()

  it('refuses puts with STORE_FULL, writes nothing of them, and still reads, watches and deletes', async () => {
    // The head alone would be put every 50 ms, were it allowed.
    const server = await etcd.server({ args: [`--quota-backend-bytes=${4 * 1024 * 1024}`] })
    const store = await etcd.store(server.endpoint, { bookmarkIntervalMs: 50 })
    const writer = new RecordingWriter(store)
    const start = await writer.put('a', '1')
    const watch = etcd.watch(store, start)
    const fill = async (): Promise<void> => {
      for (;;) await writer.put('filler', 'x'.repeat(512 * 1024))
    }
    const error: unknown = await fill().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'STORE_FULL', kind: 'resource_exhausted', retryable: false })
    expect(isAppError(error) && error.message).toContain('compact')
    expect(await refusal(writer.put('b', '1'))).toBe('STORE_FULL')
    expect((await store.range({ select: { prefix: '' } })).entries.map((entry) => entry.key)).toEqual(['a', 'filler'])
    // On a busy machine a bookmark may have put the head after the last write, while there still was room.
    expect(await store.currentRevision()).toBeGreaterThanOrEqual(writer.last)
    await watch.reaches(writer.last)
    expect(await refusal(etcd.store(server.endpoint, { prefix: 'new/' }))).toBe('STORE_FULL')
    const again = new RecordingWriter(await etcd.store(server.endpoint))
    await watch.reaches(await again.delete('filler'))
    expect((await store.range({ select: { prefix: '' } })).entries.map((entry) => entry.key)).toEqual(['a'])
  })
})

/** Makes a root, and a user that may read and write below `test/`, then turns authentication on. Answers a root client. */
async function enableUsers(server: EtcdServer): Promise<Etcd3> {
  const open = new Etcd3({ hosts: server.endpoint })
  // etcd wants this user and this role before it asks anybody who they are.
  const root = await open.role('root').create()
  await (await open.user(ROOT.username).create(ROOT.password)).addRole(root)
  const role = await open.role('store').create()
  await role.grant({ permission: 'Readwrite', range: Range.prefix('test/') })
  await (await open.user(READER.username).create(READER.password)).addRole(role)
  await open.auth.authEnable()
  open.close()
  return new Etcd3({ hosts: server.endpoint, auth: ROOT })
}

/** An authority with a certificate for a server on 127.0.0.1 and one for a client. */
async function makeCertificates(folder: string): Promise<void> {
  const openssl = (...args: string[]): Promise<unknown> => promisify(execFile)('openssl', args, { cwd: folder })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-batch']
  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=test authority',
    '-days',
    '2',
  )
  await writeFile(join(folder, 'server.ext'), 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n')
  await writeFile(join(folder, 'client.ext'), 'extendedKeyUsage=clientAuth\n')
  for (const name of ['server', 'client']) {
    await openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    const sign = ['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial']
    await openssl(...sign, '-out', `${name}.pem`, '-days', '2', '-extfile', `${name}.ext`)
  }
}
