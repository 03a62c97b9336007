import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedStore, openEtcdStore, type RevisionedStore } from '@tributary/store'
import { describeWithEtcd, EtcdServer } from '@tributary/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
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
  const fake = fakeRuntime({ cwd: folder })
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

describeWithEtcd('a real etcd', () => {
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
