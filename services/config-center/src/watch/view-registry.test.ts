import { canonicalJson, type DeltaFrame, type ResolvedView, type SnapshotFrame } from '@tributary/contract'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Catalog } from '../domain/catalog.js'
import { routeItems, viewItems } from '../domain/items.js'
import { chainOf } from '../domain/resolve.js'
import type { Channel, ChannelListener } from './channel.js'
import { ChannelModel, itemsText } from '../testing/channel-model.test-support.js'
import { DeltaBudget } from './delta-log.js'
import type { Frame } from './frame.js'
import { impactOf } from '../domain/view-impact.js'
import { ItemSource } from './item-source.js'
import {
  BatchMaker,
  dropEntry,
  maskEntry,
  putDocument,
  putEntry,
  putTenant,
  revisionWrites,
  SERVICES,
  TENANTS,
  usualWorld,
  type KeyWrite,
} from '../testing/random-world.test-support.js'
import { TableRegistry } from './table-registry.js'
import { ViewRegistry } from './view-registry.js'

/** These only compute, a few seconds on a machine that does nothing else. */
const COMPUTING = { timeout: 60_000 }
const LIMITS = { maxDeltas: 128, maxChars: 262_144, maxTotalChars: 1_000_000 }

class Follower implements ChannelListener {
  readonly model = new ChannelModel()
  readonly frames: Frame[] = []
  readonly channel: Channel

  constructor(channel: Channel, revision: bigint) {
    this.channel = channel
    this.model.snapshot(JSON.parse(channel.snapshot(revision).data) as SnapshotFrame)
    channel.addListener(this)
  }

  onFrame(frame: Frame): void {
    this.frames.push(frame)
    this.model.delta(JSON.parse(frame.data) as DeltaFrame)
  }
}

interface FollowedView {
  readonly tenant: string
  readonly service: string | null
  readonly follower: Follower
}

class World {
  readonly catalog = new Catalog()
  readonly batches = new BatchMaker()
  readonly views: ViewRegistry
  readonly tables: TableRegistry

  constructor(maxIdle = 100) {
    const source = new ItemSource(this.catalog)
    const options = { catalog: this.catalog, source, budget: new DeltaBudget(LIMITS), maxIdle }
    this.views = new ViewRegistry(options)
    this.tables = new TableRegistry(options)
  }

  write(...writes: KeyWrite[]): void {
    const batch = this.batches.next(writes)
    const changes = this.catalog.applyBatch(batch)
    const impact = impactOf(this.catalog, changes)
    this.tables.apply(impact, changes, batch.storeRevision)
    this.views.apply(impact, batch.storeRevision)
  }

  followView(tenant: string, service: string | null): Follower | undefined {
    const channel = this.views.find(tenant, service)
    return channel && new Follower(channel, this.catalog.storeRevision)
  }

  followTable(tenant: string): Follower | undefined {
    const channel = this.tables.find(tenant)
    return channel && new Follower(channel, this.catalog.storeRevision)
  }
}

function followed(world: World, tenant: string, service: string | null = null): Follower {
  const follower = world.followView(tenant, service)
  if (follower === undefined) throw new Error(`no view of ${tenant}`)
  return follower
}

it('every followed view equals the pure view after every revision, with one delta at most for each', COMPUTING, () => {
  const wanted = fc.tuple(fc.constantFrom(...TENANTS), fc.constantFrom(null, ...SERVICES, 'unknown'))
  fc.assert(
    fc.property(fc.array(fc.tuple(revisionWrites, wanted), { minLength: 1, maxLength: 25 }), (steps) => {
      const world = new World(2)
      world.write(...usualWorld)
      const followers = new Map<string, FollowedView>()
      for (const [writes, [tenant, service]] of steps) {
        const follower = world.followView(tenant, service)
        if (follower !== undefined) followers.set(`${tenant}/${service}`, { tenant, service, follower })
        world.write(...writes)
        // The hub ends the streams of a deleted tenant.
        for (const [key, entry] of followers)
          if (world.catalog.tenant(entry.tenant) === undefined) followers.delete(key)
        expect([...followers.values()].flatMap((entry) => problemsOf(world, entry))).toEqual([])
      }
    }),
    { numRuns: 300 },
  )
})

/** What contradicts the pure view, or the rule of one delta for each revision. */
function problemsOf(world: World, { follower, tenant, service }: FollowedView): string[] {
  const view = world.views.find(tenant, service)
  const body = JSON.parse(view?.body(world.catalog.storeRevision).toString() ?? 'null') as ResolvedView | null
  const revisions = follower.frames.map((frame) => frame.revision)
  const rules = {
    items: follower.model.text === itemsText(viewItems(world.catalog, tenant, service)),
    hash: follower.channel.hash === follower.model.hash && body?.hash === follower.model.hash,
    chain: canonicalJson(body?.chain) === canonicalJson(chainOf(world.catalog, tenant)),
    'one delta for each revision': new Set(revisions).size === revisions.length,
  }
  const broken = Object.entries(rules).filter(([, holds]) => !holds)
  return [...follower.model.violations, ...broken.map(([rule]) => `${tenant}/${service}: ${rule}`)]
}

it('every followed route table equals the pure table after every revision', COMPUTING, () => {
  fc.assert(
    fc.property(fc.array(revisionWrites, { minLength: 1, maxLength: 25 }), (steps) => {
      const world = new World(2)
      world.write(...usualWorld)
      for (const writes of steps) {
        const followers = [...world.catalog.tenants()].flatMap(({ name }) => world.followTable(name) ?? [])
        const roots = followers.map(({ channel }) => world.tables.rootOf((channel as { root?: string }).root ?? ''))
        world.write(...writes)
        followers.forEach((follower, index) => {
          const root = roots[index] ?? ''
          expect(follower.model.violations).toEqual([])
          const isRoot = world.tables.rootOf(root) === root
          expect(follower.model.text).toBe(itemsText(isRoot ? routeItems(world.catalog, root) : new Map()))
        })
      }
    }),
    { numRuns: 150 },
  )
})

it('does not touch the view of a tenant that has its own entry when the base’s entry changes', () => {
  const world = new World()
  world.write(...usualWorld)
  const [own, stacked, other] = ['f1', 'f3', 'f2'].map((tenant) => followed(world, tenant))
  const examined = world.views.stats.viewsExamined
  world.write(putEntry('integration', 'a', 9))
  expect([own, stacked].map((follower) => follower?.frames.length)).toEqual([0, 0])
  expect(other?.frames).toHaveLength(1)
  expect(world.views.stats.viewsExamined - examined).toBe(1)
})

it('turns the end of an own entry into one delta that shows the base’s', () => {
  const world = new World()
  world.write(...usualWorld)
  const follower = followed(world, 'f1')
  world.write(dropEntry('f1', 'a'))
  const deltas = follower.frames.map((frame) => JSON.parse(frame.data) as DeltaFrame)
  expect(deltas).toHaveLength(1)
  expect(deltas[0]?.changes).toMatchObject([
    { key: 'service/a', value: { state: 'inherited', owner: 'integration', endpoints: [{ port: 1 }] } },
  ])
})

it('wakes nobody for a write that changes nothing that can be seen', () => {
  const world = new World()
  world.write(...usualWorld)
  const follower = followed(world, 'f1')
  world.write(putDocument('integration', 'a', { list: [1], size: 1.0 }), putTenant('f1', 'integration', { x: 'y' }))
  expect(follower.frames).toEqual([])
})

it('makes one delta of all that one revision changes', () => {
  const world = new World()
  world.write(...usualWorld)
  const follower = followed(world, 'f3')
  world.write(maskEntry('f1', 'a'), putEntry('f3', 'b', 7), putDocument('integration', '*', { level: 2 }))
  expect(follower.frames).toHaveLength(1)
  expect(follower.model.violations).toEqual([])
})

it('examines only the service’s own views and those of all services when its document changes', () => {
  const world = new World()
  world.write(...usualWorld)
  const [a, b, all] = ['a', 'b', null].map((service) => followed(world, 'f2', service))
  const examined = world.views.stats.viewsExamined
  world.write(putDocument('integration', 'a', { size: 2 }))
  expect(world.views.stats.viewsExamined - examined).toBe(2)
  expect([a, b, all].map((follower) => follower?.frames.length)).toEqual([1, 0, 1])
})

it('costs a base change in proportion to the views it can be seen in, not to all', COMPUTING, () => {
  const world = new World(10_000)
  const tenants = Array.from({ length: 1_000 }, (_, index) => `t${index}`)
  const services = Array.from({ length: 50 }, (_, index) => `s${index}`)
  world.write(putTenant('integration', null), ...services.map((service) => putEntry('integration', service, 1)))
  world.write(...tenants.map((tenant) => putTenant(tenant, 'integration')))
  // All but ten tenants have a copy of s0 of their own.
  world.write(...tenants.slice(10).map((tenant) => putEntry(tenant, 's0', 2)))
  for (const tenant of tenants) for (const service of services.slice(0, 2)) followed(world, tenant, service)
  const before = { ...world.views.stats }
  world.write(putEntry('integration', 's0', 3))
  expect(world.views.stats.viewsExamined - before.viewsExamined).toBe(20)
  expect(world.views.stats.viewsChanged - before.viewsChanged).toBe(20)
})

it('keeps no more idle views than it may, and none that is followed goes', () => {
  const world = new World(2)
  world.write(...usualWorld)
  const kept = followed(world, 'f1')
  for (const tenant of TENANTS) {
    const view = world.views.find(tenant, null)
    if (view !== undefined) world.views.release(view)
  }
  expect(world.views.size).toBe(3)
  world.write(dropEntry('f1', 'a'))
  expect(kept.frames).toHaveLength(1)
})
