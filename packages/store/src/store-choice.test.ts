import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addStoreKey } from './encryption/store-keys.js'
import { readStoreChoice, type StoreChoice } from './store-choice.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-store-choice-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

function read(env: Record<string, string>): { readonly choice: StoreChoice; readonly problems: string[] } {
  const problems: string[] = []
  return { choice: readStoreChoice(env, problems), problems }
}

async function file(name: string, text: string): Promise<string> {
  await writeFile(join(folder, name), text)
  return join(folder, name)
}

describe('readStoreChoice', () => {
  it('chooses the embedded store when nothing is said', () => {
    expect(read({})).toEqual({ choice: { kind: 'embedded' }, problems: [] })
  })

  it('reads members, certificates and the user of an etcd', async () => {
    const env = {
      TRIBUTARY_STORE: 'etcd',
      TRIBUTARY_ETCD_ENDPOINTS: 'https://10.0.0.1:2379, https://10.0.0.2:2379',
      TRIBUTARY_ETCD_CA_FILE: await file('ca.pem', 'CA'),
      TRIBUTARY_ETCD_CERT_FILE: await file('cert.pem', 'CERT'),
      TRIBUTARY_ETCD_KEY_FILE: await file('key.pem', 'KEY'),
      TRIBUTARY_ETCD_USERNAME: 'tributary',
      TRIBUTARY_ETCD_PASSWORD_FILE: await file('password', ' pass word \n'),
    }
    const etcd = {
      endpoints: ['https://10.0.0.1:2379', 'https://10.0.0.2:2379'],
      tls: { ca: 'CA', cert: 'CERT', key: 'KEY' },
      credentials: { username: 'tributary', password: ' pass word ' },
    }
    expect(read(env)).toEqual({ choice: { kind: 'etcd', etcd }, problems: [] })
  })

  it('lists everything that is wrong at once', () => {
    const { problems } = read({
      TRIBUTARY_STORE: 'etcd',
      TRIBUTARY_ETCD_ENDPOINTS: 'http://user:secret@10.0.0.1:2379',
      TRIBUTARY_ETCD_CERT_FILE: join(folder, 'missing.pem'),
      TRIBUTARY_ETCD_USERNAME: 'tributary',
    })
    expect(problems).toEqual([
      expect.stringContaining('missing.pem cannot be read (ENOENT)'),
      expect.stringContaining('TRIBUTARY_ETCD_CERT_FILE and TRIBUTARY_ETCD_KEY_FILE go together'),
      expect.stringContaining('TRIBUTARY_ETCD_USERNAME and TRIBUTARY_ETCD_PASSWORD_FILE go together'),
      expect.stringContaining('endpoints[0]'),
    ])
    expect(problems.join()).not.toContain('secret')
  })

  it('takes the keys that encrypt either store, reads them again each time, and refuses a file that others can read', async () => {
    const keyFile = join(folder, 'store.key')
    const { id } = addStoreKey(keyFile)
    const env = { TRIBUTARY_STORE_KEY_FILE: keyFile }
    for (const more of [{}, { TRIBUTARY_STORE: 'etcd', TRIBUTARY_ETCD_ENDPOINTS: 'http://a:1' }]) {
      const { choice, problems } = read({ ...env, ...more })
      expect([problems, choice.keys?.().byId.has(id)]).toEqual([[], true])
    }
    const { choice } = read(env)
    const rotated = addStoreKey(keyFile)
    expect(choice.keys?.().newest.id).toBe(rotated.id)
    await chmod(keyFile, 0o644)
    expect(read(env).problems).toEqual([expect.stringMatching(/^TRIBUTARY_STORE_KEY_FILE: .*chmod 600/)])
  })

  it.each([
    [{ TRIBUTARY_STORE: 'etcd' }, 'TRIBUTARY_ETCD_ENDPOINTS is missing'],
    [{ TRIBUTARY_STORE: 'etcd', TRIBUTARY_ETCD_ENDPOINTS: 'http://a:1,https://b:2' }, 'all http or all https'],
    [{ TRIBUTARY_STORE: 'zookeeper' }, 'TRIBUTARY_STORE is "zookeeper"'],
    [{ TRIBUTARY_ETCD_ENDPOINTS: 'http://a:1' }, 'without TRIBUTARY_STORE=etcd'],
  ])('refuses %j', (env, problem) => {
    expect(read(env).problems).toEqual([expect.stringContaining(problem)])
  })
})
