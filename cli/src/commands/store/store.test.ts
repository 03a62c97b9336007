import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedStore, openEtcdStore, readStoreKeys, type RevisionedStore } from '@tributary/store'
import { createConfigCenterClient, type ConfigCenterClient } from '@tributary/client'
import { startConfigCenter, type ConfigCenter } from '@tributary/config-center'
import { describeWithEtcd, EtcdServer, eventually } from '@tributary/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCli } from '../../program.js'
import { fakeRuntime } from '../../testing/fake-runtime.test-support.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-cli-store-'))
  const store = await openEmbeddedStore({ path: join(folder, 'a.db') })
  const put = (key: string) => ({ kind: 'put', key, value: `value of ${key}` }) as const
  await store.transact({ compares: [], mutations: [put('cc/tenant/a'), put('cc/document/a/*')] })
  await store.close()
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function cli(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const fake = fakeRuntime({ cwd: folder, fetch })
  const status = await runCli(['store', ...args], fake.runtime)
  return { status, stdout: fake.stdout(), stderr: fake.stderr() }
}

async function contentOf(store: RevisionedStore): Promise<[string, string][]> {
  const { entries } = await store.range({ select: { prefix: '' } })
  await store.close()
  return entries.map(({ key, value }) => [key, value])
}

const CONTENT = [
  ['cc/document/a/*', 'value of cc/document/a/*'],
  ['cc/tenant/a', 'value of cc/tenant/a'],
]

it('backs up an embedded store into a private file, and restores it elsewhere', async () => {
  expect((await cli('export', 'backup.jsonl', '--store', 'a.db')).stdout).toMatch(
    /^exported 2 keys, sha256 [0-9a-f]{64}\n/,
  )
  expect((await stat(join(folder, 'backup.jsonl'))).mode & 0o777).toBe(0o600)
  const restored = await cli('import', 'backup.jsonl', '--store', 'b.db')
  expect([restored.status, restored.stdout]).toEqual([0, expect.stringMatching(/^imported 2 keys/)])
  expect(await contentOf(await openEmbeddedStore({ path: join(folder, 'b.db') }))).toEqual(CONTENT)
})

it('touches a store that holds something only when it is forced to', async () => {
  await cli('export', 'backup.jsonl', '--store', 'a.db')
  const refused = await cli('import', 'backup.jsonl', '--store', 'a.db')
  expect([refused.status, refused.stderr]).toEqual([expect.any(Number), expect.stringContaining('--force')])
  expect(refused.status).not.toBe(0)
  expect((await cli('import', 'backup.jsonl', '--store', 'a.db', '--force')).status).toBe(0)
})

it('refuses a damaged export, a store that is in use, and a command that names no store', async () => {
  await cli('export', 'backup.jsonl', '--store', 'a.db')
  const text = await readFile(join(folder, 'backup.jsonl'), 'utf8')
  await writeFile(join(folder, 'short.jsonl'), text.slice(0, -20))
  expect((await cli('import', 'short.jsonl', '--store', 'c.db')).stderr).toContain('nothing is written')
  expect((await cli('export', 'other.jsonl')).stderr).toContain('--etcd <urls>')
  const open = await openEmbeddedStore({ path: join(folder, 'a.db') })
  const busy = await cli('export', 'other.jsonl', '--store', 'a.db')
  await open.close()
  expect([busy.status === 0, busy.stderr.startsWith('error: ')]).toEqual([false, true])
})

describe('an encrypted store', () => {
  const open = (file: string, key: string) =>
    openEmbeddedStore({ path: join(folder, file), keys: () => readStoreKeys(join(folder, key)) })
  const texts = async (...files: string[]): Promise<string> =>
    (await Promise.all(files.map((file) => readFile(join(folder, file), 'latin1')))).join('\n')

  beforeEach(async () => {
    const made = await cli('new-key', 'store.key')
    expect([made.status, made.stdout]).toEqual([0, expect.stringMatching(/^made the key [0-9a-f]{16} in store\.key\n/)])
    expect((await stat(join(folder, 'store.key'))).mode & 0o777).toBe(0o600)
  })

  it('is made of one that was not by naming a key, goes into an encrypted export, and comes out of it elsewhere', async () => {
    const key = ['--key-file', 'store.key']
    const exported = await cli('export', 'backup.jsonl', '--store', 'a.db', ...key)
    expect([exported.stderr, exported.stdout]).toEqual(['', expect.stringMatching(/^exported 2 keys/)])
    expect((await cli('import', 'backup.jsonl', '--store', 'b.db', ...key)).stderr).toBe('')
    expect(await contentOf(await open('b.db', 'store.key'))).toEqual(CONTENT)
    expect(await texts('a.db', 'b.db', 'backup.jsonl')).not.toContain('value of')
  })

  it('and its exports are refused without the key and with another, and nothing is made of them', async () => {
    await cli('export', 'backup.jsonl', '--store', 'a.db', '--key-file', 'store.key')
    await cli('new-key', 'other.key')
    const refused = async (...args: string[]): Promise<string> => {
      const { status, stderr } = await cli(...args)
      expect(status).not.toBe(0)
      return stderr
    }
    expect(await refused('export', 'x.jsonl', '--store', 'a.db')).toContain('TRIBUTARY_STORE_KEY_FILE')
    expect(await refused('export', 'x.jsonl', '--store', 'a.db', '--key-file', 'other.key')).toContain('key file has')
    expect(await refused('import', 'backup.jsonl', '--store', 'c.db')).toContain('is encrypted')
    expect(await refused('import', 'backup.jsonl', '--store', 'c.db', '--key-file', 'other.key')).toContain(
      'key file has',
    )
    await expect(stat(join(folder, 'c.db'))).rejects.toThrow('ENOENT')
  })

  it('goes over to a new key: older exports still open while the old one is in the file', async () => {
    const key = ['--key-file', 'store.key']
    await cli('export', 'old.jsonl', '--store', 'a.db', ...key)
    expect((await cli('new-key', 'store.key')).stdout).toContain('restart each server')
    expect((await cli('export', 'new.jsonl', '--store', 'a.db', ...key)).status).toBe(0)
    for (const [index, file] of ['old.jsonl', 'new.jsonl'].entries()) {
      expect((await cli('import', file, '--store', `restored-${index}.db`, ...key)).stderr).toBe('')
      expect(await contentOf(await open(`restored-${index}.db`, 'store.key'))).toEqual(CONTENT)
    }
  })
})

describe('a running config center', () => {
  let store: RevisionedStore
  let center: ConfigCenter
  let client: ConfigCenterClient

  beforeEach(async () => {
    store = await openEmbeddedStore({ path: join(folder, 'live.db') })
    center = await startConfigCenter({ store, adminTokenFile: join(folder, 'admin.token') })
    client = createConfigCenterClient({ baseUrl: center.url, token: center.adminToken ?? '' })
    await client.applyTenant('integration', { base: null })
  })
  afterEach(async () => {
    await center.close()
    await store.close()
  })

  const backUp = (...args: string[]) =>
    cli('backup', 'live.jsonl', '--url', center.url, '--token-file', 'admin.token', ...args)

  it('is backed up while it is written to: the file is one revision, and is restored as that', async () => {
    // Some hundred keys, so that the backup is read in several pages and writes come between them.
    for (let count = 0; count < 30; count += 1) {
      const changes = Array.from({ length: 20 }, (_, index) => ({
        op: 'apply-document' as const,
        tenant: 'integration',
        service: `s-${count * 20 + index}`,
        data: { generation: -1 },
      }))
      await client.transact({ changes })
    }
    const done = new AbortController()
    // Each write changes the first and the last service in the order of keys, as one revision.
    const writing = (async () => {
      for (let generation = 0; !done.signal.aborted; generation += 1) {
        const changes = ['s-0', 's-99'].map((service) => ({
          op: 'apply-document' as const,
          tenant: 'integration',
          service,
          data: { generation },
        }))
        await client.transact({ changes })
      }
    })()
    await eventually(async () => {
      const { data } = await client.getDocument({ tenant: 'integration', service: 's-0' })
      expect(data['generation']).toBeGreaterThan(1)
    })
    const backup = await backUp()
    done.abort()
    await writing
    expect([backup.stderr, backup.status]).toEqual(['', 0])
    expect((await stat(join(folder, 'live.jsonl'))).mode & 0o777).toBe(0o600)
    expect((await cli('import', 'live.jsonl', '--store', 'restored.db')).stderr).toBe('')
    const restored = new Map(await contentOf(await openEmbeddedStore({ path: join(folder, 'restored.db') })))
    const generations = ['s-0', 's-99'].map(
      (service) => (JSON.parse(restored.get(`cc/document/integration/${service}`) ?? '{}') as { data: unknown }).data,
    )
    expect(generations[0]).toEqual(generations[1])
    expect(generations[0]).toEqual({ generation: expect.any(Number) })
    expect([...restored.keys()].filter((key) => key.startsWith('cc/document/'))).toHaveLength(600)
  })

  it('gives an encrypted backup when its store is: whole for whoever has no key, open to whoever has', async () => {
    await cli('new-key', 'store.key')
    const keys = () => readStoreKeys(join(folder, 'store.key'))
    await center.close()
    center = await startConfigCenter({ store, keys, adminTokenFile: join(folder, 'admin.token') })
    const backup = await backUp()
    expect([backup.stderr, backup.stdout]).toEqual(['', expect.stringMatching(/^backed up \d+ keys/)])
    expect(await readFile(join(folder, 'live.jsonl'), 'utf8')).not.toContain('integration')
    expect((await cli('import', 'live.jsonl', '--store', 'd.db', '--key-file', 'store.key')).stderr).toBe('')
    const restored = await openEmbeddedStore({ path: join(folder, 'd.db'), keys })
    expect((await contentOf(restored)).map(([key]) => key)).toContain('cc/tenant/integration')
  })

  it('gives its backup to admins only, and keeps no file when it is refused', async () => {
    const { token } = await client.createToken({ name: 'ci', role: 'deployer' })
    await writeFile(join(folder, 'deployer.token'), token)
    const refused = await backUp('--token-file', 'deployer.token')
    expect([refused.status === 0, refused.stderr]).toEqual([false, expect.stringContaining('deployer')])
    await expect(stat(join(folder, 'live.jsonl'))).rejects.toThrow('ENOENT')
    await expect(stat(join(folder, 'live.jsonl.partial'))).rejects.toThrow('ENOENT')
  })
})

describeWithEtcd('a real etcd', () => {
  it('moves an embedded store to etcd and back, without what belongs to the replicas that ran there', async () => {
    const etcd = await EtcdServer.start()
    try {
      await cli('export', 'backup.jsonl', '--store', 'a.db')
      await cli('import', 'backup.jsonl', '--etcd', etcd.endpoint)
      const there = await openEtcdStore({ endpoints: [etcd.endpoint], prefix: 'tributary/config-center/' })
      const { leaseId } = await there.grantLease(60_000)
      const ofReplicas = ['cc/replica-secret', 'cc/bookmark'].map((key) => ({ kind: 'put', key, value: 'x' }) as const)
      const leased = ['cc/replica/1', 'cc/entry/a/orders/i-1'].map(
        (key) => ({ kind: 'put', key, value: 'x', leaseId }) as const,
      )
      await there.transact({ compares: [], mutations: [...ofReplicas, ...leased] })
      await there.close()
      const exported = await cli('export', 'back.jsonl', '--etcd', etcd.endpoint)
      expect(exported.stdout).toMatch(/^exported 2 keys, .*\nleft out 1 keys of leases/)
      expect((await cli('import', 'back.jsonl', '--store', 'back.db')).status).toBe(0)
      expect(await contentOf(await openEmbeddedStore({ path: join(folder, 'back.db') }))).toEqual(CONTENT)
    } finally {
      await etcd.stop()
    }
  })

  it('moves an embedded store to etcd, below its prefix', async () => {
    const etcd = await EtcdServer.start()
    try {
      await cli('export', 'backup.jsonl', '--store', 'a.db')
      const moved = await cli('import', 'backup.jsonl', '--etcd', etcd.endpoint)
      expect([moved.stderr, moved.status]).toEqual(['', 0])
      const prefix = 'tributary/config-center/'
      expect(await contentOf(await openEtcdStore({ endpoints: [etcd.endpoint], prefix }))).toEqual(CONTENT)
    } finally {
      await etcd.stop()
    }
  })
})
