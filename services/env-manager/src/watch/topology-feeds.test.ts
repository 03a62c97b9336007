import type { ChangeEvent, Topology } from '@tributary/contract'
import { systemClock } from '@tributary/kit'
import { eventually } from '@tributary/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { EventHub } from './event-hub.js'
import { TopologyFeeds } from './topology-feeds.js'

const LONG = 3_600_000
let hub: EventHub
let reads: string[]
let health: string
let failure: Error | undefined

const topology = (environment: string): Topology => ({
  environment,
  chain: [environment, 'integration'],
  storeRevision: String(reads.length),
  nodes: [
    {
      service: 'orders',
      state: 'own',
      owner: environment,
      version: null,
      commitSha: null,
      health: health as 'healthy',
      healthMessage: null,
      endpoints: [],
      url: null,
    },
  ],
  edges: [],
  leaks: [],
})

beforeEach(() => {
  hub = new EventHub()
  reads = []
  health = 'healthy'
  failure = undefined
})

function feedsOf(callsMs = LONG): TopologyFeeds {
  return new TopologyFeeds({
    hub,
    clock: systemClock,
    callsMs,
    read: async (environment) => {
      reads.push(environment)
      if (failure !== undefined) throw failure
      return topology(environment)
    },
  })
}

interface Follower {
  readonly seen: string[]
  readonly leave: () => void
  readonly ended: Promise<unknown>
}

function follow(feeds: TopologyFeeds, environment = 'feature-x'): Follower {
  const leaving = new AbortController()
  const seen: string[] = []
  const ended = (async () => {
    for await (const { nodes } of feeds.follow(environment, leaving.signal)) seen.push(nodes[0]?.health ?? '')
  })().catch((error: unknown) => error)
  return { seen, leave: () => leaving.abort(), ended }
}

const changed = (name: string, kind: ChangeEvent['kind'] = 'environment'): void =>
  hub.publish({ kind, name, revision: '1', gone: false })

describe('a followed topology', () => {
  it('is worked out once for all who follow it, when something that it shows has changed', async () => {
    const feeds = feedsOf()
    const followers = [follow(feeds), follow(feeds), follow(feeds)]
    await eventually(() => expect(followers.map(({ seen }) => seen)).toEqual([['healthy'], ['healthy'], ['healthy']]))
    expect(reads).toHaveLength(1)
    health = 'unhealthy'
    changed('integration', 'config')
    for (const { seen } of followers) await eventually(() => expect(seen).toEqual(['healthy', 'unhealthy']))
    expect(reads).toHaveLength(2)
    for (const { leave, ended } of followers) {
      leave()
      await ended
    }
    expect(feeds.size).toBe(0)
  })

  it('is left alone by changes of others, and told to nobody when it looks the same', async () => {
    const feeds = feedsOf()
    const { seen, leave, ended } = follow(feeds)
    await eventually(() => expect(seen).toHaveLength(1))
    changed('feature-y')
    changed('feature-x', 'run')
    changed('feature-x')
    await eventually(() => expect(reads).toHaveLength(2))
    health = 'unhealthy'
    changed('feature-x')
    await eventually(() => expect(seen).toEqual(['healthy', 'unhealthy']))
    expect(reads).toHaveLength(3)
    leave()
    await ended
  })

  it('is read again when something was missed', async () => {
    const feeds = feedsOf()
    const { seen, leave, ended } = follow(feeds)
    await eventually(() => expect(seen).toHaveLength(1))
    health = 'unhealthy'
    hub.reset()
    await eventually(() => expect(seen).toEqual(['healthy', 'unhealthy']))
    leave()
    await ended
  })

  it('has fresh calls while somebody follows it, and asks nobody afterwards', async () => {
    const feeds = feedsOf(5)
    const { leave, ended } = follow(feeds)
    await eventually(() => expect(reads.length).toBeGreaterThan(2))
    leave()
    await ended
    const asked = reads.length
    changed('feature-x')
    await new Promise<void>((resolve) => void setImmediate(resolve))
    expect(reads.length).toBe(asked)
  })

  it('ends with the failure, and begins anew for the next', async () => {
    const feeds = feedsOf()
    failure = new Error('the config center is away')
    const first = follow(feeds)
    expect(await first.ended).toBe(failure)
    failure = undefined
    const second = follow(feeds)
    await eventually(() => expect(second.seen).toEqual(['healthy']))
    second.leave()
    await second.ended
  })
})
