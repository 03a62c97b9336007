import type { EachMessageHandler, EachMessagePayload, Message, Producer } from 'kafkajs'
import { beforeEach, describe, expect, expectTypeOf, it } from 'vitest'
import { currentTenant, runWithTenant } from '../../context/routing-context.js'
import { HOPS_HEADER, PARKED_HEADER } from '../lanes.js'
import { ProcessWorld, SHOP, type Tenants } from '../messaging-world.test-support.js'
import { eachMessage } from './each-message.js'
import { laneFor, orphanedLanes, type KafkaGroup } from './kafka-lane.js'
import { inContext } from './kafka-producer.js'
import { KafkaLog } from './kafka-log.test-support.js'
import type { KafkaPayload, KafkaProducer } from './kafka-types.js'

const GROUP: KafkaGroup = { topic: 'orders', groupId: 'order-consumers' }
const WITHOUT_X: Tenants = { integration: SHOP['integration'] ?? { base: null, services: {} } }

let log: KafkaLog
let done: { readonly by: string; readonly body: string; readonly tenant: string | undefined }[]

beforeEach(() => {
  log = new KafkaLog()
  done = []
})

const baseline = (tenants: Tenants = SHOP): ProcessWorld => new ProcessWorld('integration').hold(tenants)
const feature = (): ProcessWorld => new ProcessWorld('feature-x').hold(SHOP)

function handlerOf(world: ProcessWorld): (payload: KafkaPayload) => Promise<void> {
  return eachMessage(world, { topic: GROUP.topic, producer: log }, async ({ message }) => {
    await new Promise((resolve) => setImmediate(resolve))
    done.push({ by: world.tenant, body: String(message.value), tenant: currentTenant() })
  })
}

/** Lets the processes read until nothing moves any more. */
async function settle(...worlds: readonly ProcessWorld[]): Promise<void> {
  for (let moved = true; moved;) {
    moved = false
    for (const world of worlds) {
      const orphans = orphanedLanes(world, GROUP, [...log.topics.keys()])
      for (const group of [laneFor(world, GROUP), ...orphans]) {
        moved = (await log.read(group, handlerOf(world))) || moved
      }
    }
  }
}

function publish(tenant: string | undefined, ...values: readonly string[]): Promise<void> {
  const messages = values.map((value) => ({ key: 'k', value }))
  return runWithTenant(tenant, () => log.send({ topic: GROUP.topic, messages: inContext(baseline(), messages) }))
}

describe('messages of Kafka', () => {
  it('reach the tenant’s own consumers, or the baseline’s, each once and in its context', async () => {
    await publish('feature-x', 'a')
    await publish('feature-y', 'b')
    await publish('stacked', 'c')
    await publish(undefined, 'd')
    await settle(baseline(), feature())
    expect(done.toSorted((one, other) => one.body.localeCompare(other.body))).toEqual([
      { by: 'feature-x', body: 'a', tenant: 'feature-x' },
      { by: 'integration', body: 'b', tenant: 'feature-y' },
      { by: 'feature-x', body: 'c', tenant: 'stacked' },
      { by: 'integration', body: 'd', tenant: undefined },
    ])
  })

  it('keep key and headers and their order when they are handed over', async () => {
    const messages = ['1', '2', '3'].map((value) => ({ key: 'k', value, headers: { trace: 't' } }))
    await runWithTenant('feature-x', () => log.send({ topic: 'orders', messages: inContext(baseline(), messages) }))
    await settle(baseline())
    const lane = log.topics.get('orders.feature-x') ?? []
    expect(lane.map(({ key, value }) => key + value)).toEqual(['k1', 'k2', 'k3'])
    const [first] = lane
    expect(
      Object.entries(first?.headers ?? {})
        .map(([name, value]) => `${name}: ${String(value)}`)
        .sort(),
    ).toEqual(['baggage: tributary-tenant=feature-x', 'trace: t', `${HOPS_HEADER}: 1`, 'tributary-tenant: feature-x'])
  })

  it('are taken over by the baseline where the environment’s consumers had got to, when it goes', async () => {
    const [base, own] = [baseline(), feature()]
    await publish('feature-x', 'a')
    await settle(base, own)
    await publish('feature-x', 'b', 'c')
    await settle(base)
    expect(done.map(({ body }) => body)).toEqual(['a'])
    expect(orphanedLanes(base, GROUP, ['orders.feature-x'])).toEqual([])
    base.hold(WITHOUT_X)
    await settle(base)
    expect(done.map(({ by, body }) => `${by} ${body}`)).toEqual(['feature-x a', 'integration b', 'integration c'])
  })

  it('are lost by nobody and handled twice by nobody while an environment comes and goes', async () => {
    const withoutOwn: Tenants = { ...SHOP, 'feature-x': { base: 'integration', services: {} } }
    const [base, own] = [baseline(), feature()]
    for (let round = 0; round < 16; round += 1) {
      await publish('feature-x', `${round}`)
      const [first, second] = round % 2 === 0 ? [base, own] : [own, base]
      first.hold(round % 4 < 2 ? withoutOwn : SHOP)
      // One pass only: with tables that differ, messages would go to and fro until they agree.
      for (const world of [base, own]) await log.read(laneFor(world, GROUP), handlerOf(world))
      second.hold(round % 4 < 2 ? withoutOwn : SHOP)
    }
    await settle(base, own)
    const bodies = done.map(({ body }) => Number(body)).sort((one, other) => one - other)
    expect(bodies).toEqual(Array.from({ length: 16 }, (_each, round) => round))
  })

  it('are not committed before their next topic has them', async () => {
    await publish('feature-x', 'a')
    log.isDown = true
    await expect(settle(baseline())).rejects.toThrow('the broker is down')
    log.isDown = false
    await settle(baseline(), feature())
    expect(done).toEqual([{ by: 'feature-x', body: 'a', tenant: 'feature-x' }])
  })

  it('are parked with the reason when their service is masked', async () => {
    await publish('feature-x', 'a')
    const world = new ProcessWorld('integration', { service: 'mail' }).hold(SHOP)
    await settle(world)
    const [parked] = log.topics.get('orders.tributary_parked') ?? []
    expect([parked?.value, String(parked?.headers[PARKED_HEADER])]).toEqual(['a', 'mail is masked by feature-x'])
    expect(orphanedLanes(world, GROUP, ['orders.tributary_parked', 'orders-other', 'orders.a.b'])).toEqual([])
  })

  it('wait with their place in the group kept until a table is held', async () => {
    const world = new ProcessWorld('integration')
    await publish(undefined, 'a')
    let beats = 0
    const heartbeat = async (): Promise<void> => {
      beats += 1
      if (beats === 2) world.hold(SHOP)
    }
    await log.read(GROUP, (payload) => handlerOf(world)({ ...payload, heartbeat }))
    expect([beats, done.length]).toEqual([2, 1])
  })

  it('fit the types of kafkajs', () => {
    const handler = eachMessage(
      baseline(),
      { topic: 'orders', producer: log },
      async (_payload: EachMessagePayload) => undefined,
    )
    expectTypeOf(handler).toExtend<EachMessageHandler>()
    expectTypeOf<Producer>().toExtend<KafkaProducer>()
    expectTypeOf(inContext<Message>(baseline(), [])).toEqualTypeOf<Message[]>()
  })
})
