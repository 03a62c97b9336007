import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@tributary/kit'
import { eventually } from '@tributary/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openEmbeddedStore } from './embedded/open-embedded-store.js'
import { LeasedEntry } from './leased-entry.js'
import type { RevisionedStore } from './revisioned-store.js'

const KEY = 'here/one'
let folder: string
let store: RevisionedStore

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-leased-'))
  store = await openEmbeddedStore({ path: join(folder, 'store.db') })
})

afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

const entry = async () => (await store.range({ select: { key: KEY } })).entries[0]
const start = (leaseMs: number) => LeasedEntry.start({ store, clock: systemClock, key: KEY, value: 'there', leaseMs })

it('is in the store from start to stop, and tells at which revision it was put', async () => {
  const leased = await start(60_000)
  expect(await entry()).toMatchObject({ value: 'there', modRevision: leased.revision })
  await leased.stop()
  await leased.stop()
  expect(await entry()).toBeUndefined()
})

it('outlives its lease by renewing it', async () => {
  const leased = await start(300)
  const since = systemClock.monotonicMs()
  await eventually(async () => {
    expect(await entry()).toMatchObject({ value: 'there' })
    expect(systemClock.monotonicMs() - since).toBeGreaterThan(900)
  })
  await leased.stop()
})

it('comes back when its lease was lost', async () => {
  const leased = await start(300)
  const before = leased.revision
  await store.revokeLease((await entry())?.leaseId ?? '')
  await eventually(async () => expect((await entry())?.modRevision).toBeGreaterThan(before))
  expect(leased.revision).toBeGreaterThan(before)
  await leased.stop()
})
