import type { DeltaFrame, PollResult, SnapshotFrame } from '@tributary/contract'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ChannelModel } from '../testing/channel-model.test-support.js'
import { dropGray, putDocument, putGray, usualWorld } from '../testing/random-world.test-support.js'
import { TestCluster, type TestReplica } from '../testing/replica.test-support.js'
import { contradictions, ViewOracle } from '../testing/view-oracle.test-support.js'

const MEMBER = { tenant: 'integration', service: 'a', instance: 'i-1' } as const

let cluster: TestCluster
let replica: TestReplica
let token: string
/** What a member has, whether or not it is connected. */
let member: ChannelModel

beforeEach(async () => {
  cluster = await TestCluster.start()
  token = (await cluster.createToken({ role: 'viewer' })).token
  await cluster.write(...usualWorld)
  replica = await cluster.replica()
  member = new ChannelModel()
})

afterEach(async () => {
  await cluster.stop()
})

const sizes = (size: number) => putDocument(MEMBER.tenant, MEMBER.service, { size })
const release = (size: number) =>
  putGray(MEMBER.tenant, MEMBER.service, { patch: { size }, instances: [MEMBER.instance] })
const endOfRelease = dropGray(MEMBER.tenant, MEMBER.service)

/** Writes one revision after the other; the replica has all of them when this resolves. */
async function write(...writes: Parameters<TestCluster['write']>): Promise<bigint> {
  let revision = 0n
  for (const each of writes) revision = await cluster.write(each)
  await replica.mirror.waitFor(revision, { signal: AbortSignal.timeout(5_000) })
  return revision
}

/** Brings the member up to date from `after`, as far as its cursor had got, and from what it has. */
async function catchUp(after = member.revision): Promise<void> {
  member.reconnecting()
  const query = new URLSearchParams({ timeoutMs: '0', service: MEMBER.service, instance: MEMBER.instance })
  if (after !== undefined) query.set('after', `${after}`)
  if (member.revision !== undefined) query.set('viewHash', member.hash)
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${replica.url}/v1/tenants/${MEMBER.tenant}/poll?${query.toString()}`, { headers })
  const { frames, storeRevision } = (await response.json()) as PollResult
  for (const { event, data } of frames) {
    if (event === 'view.snapshot') member.snapshot(data as SnapshotFrame)
    else member.delta(data as DeltaFrame)
  }
  member.upTo(BigInt(storeRevision))
}

async function problems(): Promise<string[]> {
  const timeline = (await ViewOracle.read(cluster.store)).view(MEMBER.tenant, MEMBER.service, MEMBER.instance)
  return [...member.violations, ...contradictions(member.states, timeline)]
}

const size = () => (member.items.get('config/a') as { size: number }).size

/** Keeps the view of all others in memory, with its history. */
async function othersFollow(): Promise<void> {
  const headers = { authorization: `Bearer ${token}` }
  await fetch(`${replica.url}/v1/tenants/${MEMBER.tenant}/poll?timeoutMs=0&service=${MEMBER.service}`, { headers })
}

it('does not leave a member with a release that was aborted, although all others had begun with the same', async () => {
  await othersFollow()
  const cursor = await write(sizes(1))
  await write(sizes(2), release(1))
  await catchUp()
  expect(size()).toBe(1)
  await write(endOfRelease)
  // Its cursor stayed behind what it has of the view: it is one for both channels, and the other one stood still.
  await catchUp(cursor)
  expect([size(), await problems()]).toEqual([2, []])
})

it('gives a member no change that builds on a revision which it has not seen', async () => {
  await othersFollow()
  await write(sizes(1), release(2))
  await catchUp()
  await write(endOfRelease, sizes(2), sizes(3))
  await catchUp()
  expect([size(), await problems()]).toEqual([3, []])
})

it('does not leave a member with a release that was aborted, although all others had the same for a while', async () => {
  await othersFollow()
  const cursor = await write(sizes(1))
  await write(sizes(2), sizes(3), release(2))
  await catchUp()
  await write(endOfRelease)
  await catchUp(cursor)
  expect([size(), await problems()]).toEqual([3, []])
})
