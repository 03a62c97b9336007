import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError } from '@tributary/kit'
import { ensureBuilt } from '@tributary/testkit'
import { beforeAll, describe, expect, it } from 'vitest'
import type { RevisionedStore } from '../revisioned-store.js'
import { openEmbeddedStore } from './open-embedded-store.js'
import { openSqliteFile } from './sqlite-file.js'
import { useTemporaryFolders } from './temporary-folder.test-support.js'

const makeFolder = useTemporaryFolders()

async function failureToOpen(path: string): Promise<AppError> {
  const error = await openEmbeddedStore({ path }).then(
    (store) => store.close(),
    (thrown: unknown) => thrown,
  )
  if (error instanceof AppError) return error
  throw new Error(`expected opening ${path} to fail, got ${String(error)}`)
}

async function put(store: RevisionedStore, key: string, value: string): Promise<void> {
  await store.transact({ compares: [], mutations: [{ kind: 'put', key, value }] })
}

describe('opening a store that another has open', () => {
  let packageFolder = ''
  beforeAll(async () => {
    packageFolder = await ensureBuilt('packages/store')
  }, 60_000)

  it('fails at once with a message that names the file, in another process; the lock goes when that is killed', async () => {
    const path = join(await makeFolder(), 'store.db')
    const holder = spawn(process.execPath, [join(packageFolder, 'test-programs/holder.mjs'), path])
    const exited = once(holder, 'exit')
    await once(holder.stdout, 'data')
    const startedAt = performance.now()
    const error = await failureToOpen(path)
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    expect(error).toMatchObject({ code: 'STORE_LOCKED', kind: 'failed_precondition' })
    expect(error.message).toContain(`could not open the store ${path}: another process has it open`)
    holder.kill('SIGKILL')
    await exited
    const store = await openEmbeddedStore({ path })
    expect((await store.range({ select: { key: 'held' } })).entries[0]?.value).toBe('yes')
    await store.close()
  })

  it('fails in the same process, and the first one keeps its lock', async () => {
    const path = join(await makeFolder(), 'store.db')
    const store = await openEmbeddedStore({ path })
    expect((await failureToOpen(path)).code).toBe('STORE_LOCKED')
    expect((await failureToOpen(path)).code).toBe('STORE_LOCKED')
    await put(store, 'a', '1')
    await store.close()
    const again = await openEmbeddedStore({ path })
    expect((await again.range({ select: { key: 'a' } })).entries[0]?.value).toBe('1')
    await again.close()
  })
})

describe('opening a store', () => {
  it('creates the file and its folder for this user alone', async () => {
    const path = join(await makeFolder(), 'deep', 'folder', 'store.db')
    const store = await openEmbeddedStore({ path })
    await put(store, 'a', '1')
    const modes = [path, `${path}-wal`, dirname(path)].map(async (file) =>
      ((await stat(file)).mode & 0o777).toString(8),
    )
    expect(await Promise.all(modes)).toEqual(['600', '600', '700'])
    await store.close()
  })

  it('leaves one whole file behind when it is closed', async () => {
    const path = join(await makeFolder(), 'store.db')
    const store = await openEmbeddedStore({ path })
    await put(store, 'a', '1')
    await store.close()
    await expect(stat(`${path}-wal`)).rejects.toMatchObject({ code: 'ENOENT' })
    const copy = join(await makeFolder(), 'copy.db')
    await writeFile(copy, await readFile(path))
    const copied = await openEmbeddedStore({ path: copy })
    expect((await copied.range({ select: { key: 'a' } })).entries[0]?.value).toBe('1')
    await copied.close()
  })

  it('asks SQLite for a log that is synced at each commit', async () => {
    const file = await openSqliteFile(join(await makeFolder(), 'store.db'))
    const answer = async (pragma: string) =>
      Object.values((await (await file.prepare(`PRAGMA ${pragma}`)).all())[0] ?? {})
    expect([await answer('journal_mode'), await answer('synchronous'), await answer('locking_mode')]).toEqual([
      ['wal'],
      [2n],
      ['exclusive'],
    ])
    await file.close()
  })

  it('says in one line that a folder cannot be written', async () => {
    const folder = await makeFolder()
    await mkdir(join(folder, 'closed'))
    await chmod(join(folder, 'closed'), 0o555)
    await chmod(folder, 0o755)
    const error = await asOrdinaryUser(() => failureToOpen(join(folder, 'closed', 'store.db')))
    expect(error).toMatchObject({ code: 'STORE_NOT_WRITABLE', kind: 'failed_precondition' })
    expect(error.message).toContain(join(folder, 'closed', 'store.db'))
    expect(error.message).not.toContain('\n')
  })

  it('says that a file cannot be written, and that a folder is no file', async () => {
    const folder = await makeFolder()
    const path = join(folder, 'store.db')
    await (await openEmbeddedStore({ path })).close()
    await chmod(path, 0o444)
    await chmod(folder, 0o755)
    expect((await asOrdinaryUser(() => failureToOpen(path))).code).toBe('STORE_NOT_WRITABLE')
    await chmod(path, 0o000)
    expect((await asOrdinaryUser(() => failureToOpen(path))).code).toBe('STORE_NOT_WRITABLE')
    expect((await failureToOpen(folder)).code).toBe('STORE_NOT_WRITABLE')
    expect((await failureToOpen(join(path, 'below', 'store.db'))).code).toBe('STORE_NOT_WRITABLE')
  })
})

describe('opening a file that is no sound store', () => {
  it('refuses a file of something else', async () => {
    const path = join(await makeFolder(), 'store.db')
    await writeFile(path, 'not a database, but long enough to be read as one. '.repeat(100))
    expect((await failureToOpen(path)).code).toBe('STORE_CORRUPT')
    expect(await readFile(path, 'utf8')).toMatch(/^not a database/)
  })

  it("refuses another program's database and leaves it alone", async () => {
    const path = join(await makeFolder(), 'store.db')
    const other = await openSqliteFile(path)
    await other.exec('CREATE TABLE mine (a)')
    await other.close()
    const error = await failureToOpen(path)
    expect(error.code).toBe('STORE_CORRUPT')
    expect(error.message).toContain("another program's database")
  })

  it('refuses a store of a newer version', async () => {
    const path = join(await makeFolder(), 'store.db')
    await (await openEmbeddedStore({ path })).close()
    const file = await openSqliteFile(path)
    await file.exec('PRAGMA user_version = 99')
    await file.close()
    expect((await failureToOpen(path)).code).toBe('STORE_VERSION_UNSUPPORTED')
  })

  it('refuses a store with overwritten pages', async () => {
    const path = join(await makeFolder(), 'store.db')
    const store = await openEmbeddedStore({ path })
    for (let index = 0; index < 50; index++) await put(store, `k${index}`, 'x'.repeat(1_000))
    await store.close()
    const bytes = await readFile(path)
    bytes.fill(0xa5, 4_096, bytes.length - 4_096)
    await writeFile(path, bytes)
    expect((await failureToOpen(path)).code).toBe('STORE_CORRUPT')
  })

  it('refuses a store that was cut short', async () => {
    const path = join(await makeFolder(), 'store.db')
    const store = await openEmbeddedStore({ path })
    for (let index = 0; index < 50; index++) await put(store, `k${index}`, 'x'.repeat(1_000))
    await store.close()
    await writeFile(path, (await readFile(path)).subarray(0, 20_000))
    expect((await failureToOpen(path)).code).toBe('STORE_CORRUPT')
  })
})

/** Root may write everywhere: it becomes "nobody" for the call. */
async function asOrdinaryUser<T>(call: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return call()
  process.seteuid?.(65_534)
  try {
    return await call()
  } finally {
    process.seteuid?.(0)
  }
}
