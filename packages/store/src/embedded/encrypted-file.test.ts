import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { newKeyLine, newTestKeys } from '../encryption/test-keys.test-support.js'
import type { StoreKeySource } from '../encryption/store-keys.js'
import type { EmbeddedRevisionedStore } from './embedded-revisioned-store.js'
import { openEmbeddedStore } from './open-embedded-store.js'
import { useTemporaryFolders } from './temporary-folder.test-support.js'

const makeFolder = useTemporaryFolders()
const keys = newTestKeys()
let folder: string

beforeEach(async () => {
  folder = await makeFolder()
})

const open = (source?: StoreKeySource): Promise<EmbeddedRevisionedStore> =>
  openEmbeddedStore({ path: join(folder, 'store.db'), keys: source })

/** Opens, works and closes. */
async function withStore<T>(
  source: StoreKeySource | undefined,
  work: (store: EmbeddedRevisionedStore) => Promise<T>,
): Promise<T> {
  const store = await open(source)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

async function put(store: EmbeddedRevisionedStore, key: string, value: string): Promise<void> {
  await store.transact({ compares: [], mutations: [{ kind: 'put', key, value }] })
}

async function valueOf(store: EmbeddedRevisionedStore, key: string, atRevision?: bigint): Promise<string | undefined> {
  const at = atRevision === undefined ? {} : { atRevision }
  return (await store.range({ select: { key }, ...at })).entries[0]?.value
}

/** Everything that lies in the folder. */
async function bytes(): Promise<string> {
  const files = await readdir(folder)
  const contents = await Promise.all(files.map((file) => readFile(join(folder, file), 'latin1')))
  return contents.join('\n')
}

describe('a file with keys', () => {
  it('holds no value in plain, while it is open and afterwards, and gives every one back', async () => {
    await withStore(keys, async (store) => {
      await put(store, 'cc/document/x/orders', 'hunter2-first')
      await put(store, 'cc/document/x/orders', 'hunter2-second')
      expect(await bytes()).not.toContain('hunter2')
    })
    expect(await bytes()).not.toContain('hunter2')
    await withStore(keys, async (store) => {
      expect(await valueOf(store, 'cc/document/x/orders')).toBe('hunter2-second')
      expect(await valueOf(store, 'cc/document/x/orders', 1n)).toBe('hunter2-first')
    })
  })

  it.each([
    ['without keys', undefined, 'STORE_ENCRYPTED'],
    ['with another key', newTestKeys(), 'STORE_KEY_UNKNOWN'],
  ])('is refused %s, and stays as it is', async (_how, source, code) => {
    await withStore(keys, (store) => put(store, 'k', 'v'))
    await expect(open(source)).rejects.toMatchObject({ code })
    await withStore(keys, async (store) => {
      expect([await valueOf(store, 'k'), await store.currentRevision()]).toEqual(['v', 1n])
    })
  })

  it('goes over to a new key, after which the old one is not needed and not enough', async () => {
    const [first, second] = [newKeyLine(), newKeyLine()]
    await withStore(newTestKeys(first), (store) => put(store, 'k', 'old'))
    await withStore(newTestKeys(second, first), (store) => put(store, 'l', 'new'))
    await withStore(newTestKeys(second), async (store) => {
      expect([await valueOf(store, 'k'), await valueOf(store, 'l')]).toEqual(['old', 'new'])
      expect(await store.currentRevision()).toBe(2n)
    })
    await expect(open(newTestKeys(first))).rejects.toMatchObject({ code: 'STORE_KEY_UNKNOWN' })
  })
})

describe('a file that was not encrypted', () => {
  it('is encrypted whole when it is opened with keys, with its revisions, and nothing of the plain text stays in it', async () => {
    await withStore(undefined, async (store) => {
      for (let index = 0; index < 200; index += 1) await put(store, `k${index % 7}`, `hunter2-${index}`)
      await store.transact({ compares: [], mutations: [{ kind: 'delete', select: { key: 'k3' } }] })
    })
    expect(await bytes()).toContain('hunter2')
    await withStore(keys, async (store) => {
      expect(await bytes()).not.toContain('hunter2')
      expect(await store.currentRevision()).toBe(201n)
      expect(await valueOf(store, 'k3', 200n)).toBe('hunter2-199')
      expect(await valueOf(store, 'k3')).toBeUndefined()
      expect((await store.range({ select: { prefix: '' } })).entries).toHaveLength(6)
    })
    await expect(open()).rejects.toMatchObject({ code: 'STORE_ENCRYPTED' })
  })
})
