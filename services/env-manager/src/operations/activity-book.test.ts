import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedStore, type RevisionedStore } from '@tributary/store'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ActivityBook } from './activity-book.js'
import { putJson } from './state/json-store.js'
import { stateKeys } from './state/keys.js'

let folder: string
let store: RevisionedStore

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-activity-'))
  store = await openEmbeddedStore({ path: join(folder, 'store.db') })
})

afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

const EXISTING = new Set(['feature-x'])
const create = () => store.transact({ compares: [], mutations: [putJson(stateKeys.environment('feature-x'), {})] })
const kept = async (): Promise<string[]> =>
  (await store.range({ select: { prefix: stateKeys.activities } })).entries.map(({ key }) => key)

it('keeps when an environment was used for the next process', async () => {
  await create()
  const book = new ActivityBook(store)
  book.note('feature-x', 1_000_000)
  await book.save(EXISTING)
  const next = new ActivityBook(store)
  await next.load()
  expect(next.lastRequestAt('feature-x')).toBe(1_000_000)
})

it('writes nothing down for an environment that went a moment ago', async () => {
  const book = new ActivityBook(store)
  book.note('feature-x', 1_000_000)
  await book.save(EXISTING)
  expect(await kept()).toEqual([])
})

it('forgets environments that are gone', async () => {
  await create()
  const book = new ActivityBook(store)
  book.note('feature-x', 1_000_000)
  await book.save(EXISTING)
  await book.save(new Set())
  expect([await kept(), book.lastRequestAt('feature-x')]).toEqual([[], undefined])
})
