import fc from 'fast-check'
import type { ConsumerRunConfig, EachBatchPayload } from 'kafkajs'
import { beforeEach, describe, expect, expectTypeOf, it } from 'vitest'
import { BaggageMember } from '../../context/baggage.js'
import { currentContext, runWithContext, runWithTenant } from '../../context/routing-context.js'
import { HOPS_HEADER, PARKED_HEADER } from '../lanes.js'
import { ProcessWorld, SHOP, type Tenants } from '../messaging-world.test-support.js'
import { batchConsumer, type BatchConsumerOptions } from './batch-consumer.js'
import { laneFor, orphanedLanes, type KafkaGroup } from './kafka-lane.js'
import { KafkaLog } from './kafka-log.test-support.js'
import { inContext } from './kafka-producer.js'
import type { KafkaBatchPayload } from './kafka-types.js'

const GROUP: KafkaGroup = { topic: 'orders', groupId: 'order-consumers' }

let log: KafkaLog
/** What handlers were called with: who, for whom, and the messages of the part. */
let parts: { readonly by: string; readonly tenant: string | undefined; readonly values: string }[]

beforeEach(() => {
  log = new KafkaLog()
  parts = []
})

const baseline = (tenants: Tenants = SHOP): ProcessWorld => new ProcessWorld('integration').hold(tenants)
const feature = (): ProcessWorld => new ProcessWorld('feature-x').hold(SHOP)
const valuesOf = ({ batch }: KafkaBatchPayload): string => batch.messages.map(({ value }) => String(value)).join('')

/** A consumer that handles parts as a whole, or as `handle` does. */
function consumerOf(
  world: ProcessWorld,
  handle: (payload: KafkaBatchPayload) => Promise<void> = async () => undefined,
  more: Partial<BatchConsumerOptions> = {},
): (payload: KafkaBatchPayload) => Promise<void> {
  const options = { topic: GROUP.topic, producer: log, ...more }
  return batchConsumer(world, options, async (payload: KafkaBatchPayload) => {
    parts.push({ by: world.tenant, tenant: currentContext().tenant, values: valuesOf(payload) })
    await handle(payload)
  }).eachBatch
}

/** Publishes one message after another: `y1` for feature-y, `x1` for feature-x, `s1` for a tenant on feature-x, others for nobody. */
async function publish(...values: readonly string[]): Promise<void> {
  for (const value of values) {
    const tenant = { y: 'feature-y', x: 'feature-x', s: 'stacked' }[value[0] ?? '']
    const send = () => log.send({ topic: GROUP.topic, messages: inContext(baseline(), [{ key: 'k', value }]) })
    await runWithTenant(tenant, send)
  }
  log.sends.length = 0
}

/** Lets the processes read until nothing moves any more. */
async function settle(...worlds: readonly ProcessWorld[]): Promise<void> {
  for (let moved = true; moved;) {
    moved = false
    for (const world of worlds) {
      for (const group of [laneFor(world, GROUP), ...orphanedLanes(world, GROUP, [...log.topics.keys()])]) {
        moved = (await log.readBatch(group, consumerOf(world))) || moved
      }
    }
  }
}

describe('a batch of Kafka', () => {
  it('is handled part by part, each in the context of its messages, and what is another’s goes to its lane', async () => {
    await publish('a', 'b', 'y1', 'y2', 'x1', 's1', 'y3', 'c')
    await settle(baseline())
    expect(parts).toEqual([
      { by: 'integration', tenant: undefined, values: 'ab' },
      { by: 'integration', tenant: 'feature-y', values: 'y1y2' },
      { by: 'integration', tenant: 'feature-y', values: 'y3' },
      { by: 'integration', tenant: undefined, values: 'c' },
    ])
    expect([log.sends, log.offset(GROUP)]).toEqual([[2], 8])
    await settle(feature())
    expect(parts.slice(4)).toEqual([
      { by: 'feature-x', tenant: 'feature-x', values: 'x1' },
      { by: 'feature-x', tenant: 'stacked', values: 's1' },
    ])
  })

  it('keeps messages apart that bear other members of baggage', async () => {
    for (const value of ['1', '1', '2']) {
      const baggage = [BaggageMember.of('a', value)].flatMap((member) => member ?? [])
      const send = () => log.send({ topic: 'orders', messages: inContext(baseline(), [{ key: 'k', value }]) })
      await runWithContext({ tenant: 'feature-y', origin: 'request', baggage }, send)
    }
    const seen: string[] = []
    const note = async (payload: KafkaBatchPayload): Promise<void> => {
      const { tenant = '', baggage } = currentContext()
      seen.push(`${tenant} ${baggage.map(({ text }) => text).join()}: ${valuesOf(payload)}`)
    }
    await log.readBatch(GROUP, consumerOf(baseline(), note))
    expect(seen).toEqual(['feature-y a=1: 11', 'feature-y a=2: 2'])
  })

  it('narrows the offsets of each part, and keeps those of the messages', async () => {
    await publish('a', 'y1', 'y2')
    const seen: unknown[] = []
    const note = async ({ batch }: KafkaBatchPayload): Promise<void> => {
      seen.push([batch.topic, batch.isEmpty(), batch.firstOffset(), batch.lastOffset(), batch.messages[0]?.offset])
    }
    await log.readBatch(GROUP, consumerOf(baseline(), note))
    expect(seen).toEqual([
      ['orders', false, '0', '0', '0'],
      ['orders', false, '1', '2', '1'],
    ])
  })

  it('comes again from the part that failed on, or from what the handler had resolved of it', async () => {
    await publish('a', 'b', 'y1', 'y2', 'y3', 'c')
    const failOnce = async ({ batch, resolveOffset }: KafkaBatchPayload): Promise<void> => {
      const [first] = batch.messages
      if (first === undefined || String(first.value) !== 'y1') return
      resolveOffset(first.offset)
      throw new Error('the database is down')
    }
    const consumer = consumerOf(baseline(), failOnce)
    await expect(log.readBatch(GROUP, consumer)).rejects.toThrow('the database is down')
    expect(log.offset(GROUP)).toBe(3)
    await log.readBatch(GROUP, consumer)
    expect(parts.map(({ values }) => values)).toEqual(['ab', 'y1y2y3', 'y2y3', 'c'])
  })

  it('is not resolved beyond what could not be handed over', async () => {
    await publish('a', 'x1', 'b')
    log.isDown = true
    await expect(log.readBatch(GROUP, consumerOf(baseline()))).rejects.toThrow('the broker is down')
    expect(log.offset(GROUP)).toBe(1)
    log.isDown = false
    await settle(baseline(), feature())
    expect(parts.map(({ values }) => values)).toEqual(['a', 'b', 'x1'])
  })

  it.each(['isRunning', 'isStale'] as const)(
    'ends after a part when %s says so, and the rest comes again',
    async (flag) => {
      await publish('a', 'y1', 'x1', 'b')
      const stop = async (): Promise<void> => void (log[flag] = flag === 'isStale')
      await log.readBatch(GROUP, consumerOf(baseline(), stop))
      expect([log.offset(GROUP), log.topics.get('orders.feature-x')]).toEqual([1, undefined])
      log[flag] = flag === 'isRunning'
      await settle(baseline())
      expect(parts.map(({ values }) => values)).toEqual(['a', 'y1', 'b'])
    },
  )

  it('ends where a handler that resolves by itself has stopped', async () => {
    await publish('a', 'b', 'y1', 'x1', 'c')
    let budget = 1
    const frugal = async ({ batch, resolveOffset }: KafkaBatchPayload): Promise<void> => {
      for (const { offset } of batch.messages) {
        if (budget === 0) return
        budget -= 1
        resolveOffset(offset)
      }
    }
    const consumer = consumerOf(baseline(), frugal, { eachBatchAutoResolve: false })
    await log.readBatch(GROUP, consumer)
    expect([log.offset(GROUP), log.topics.get('orders.feature-x')]).toEqual([1, undefined])
    budget = 3
    await log.readBatch(GROUP, consumer)
    expect([log.offset(GROUP), log.topics.get('orders.feature-x')?.length]).toEqual([5, 1])
    expect(parts.map(({ values }) => values)).toEqual(['ab', 'b', 'y1', 'c'])
  })

  it('hands over no more at once than a broker takes', async () => {
    const value = 'x'.repeat(200_000)
    await publish(value, value, value, value, value)
    await log.readBatch(GROUP, consumerOf(baseline()))
    expect(log.sends).toEqual([2, 2, 1])
    expect(log.topics.get('orders.feature-x')?.map(({ headers }) => String(headers[HOPS_HEADER]))).toEqual(
      Array.from({ length: 5 }, () => '1'),
    )
  })

  it('is parked where its service is masked, each message with the reason', async () => {
    await publish('a', 'x1', 's1')
    const world = new ProcessWorld('integration', { service: 'mail' }).hold(SHOP)
    await log.readBatch(GROUP, consumerOf(world))
    const parked = log.topics.get('orders.tributary_parked') ?? []
    expect(parked.map(({ value, headers }) => `${value}: ${String(headers[PARKED_HEADER])}`)).toEqual([
      expect.stringMatching(/^x1: mail is masked/),
      expect.stringMatching(/^s1: mail is masked/),
    ])
    expect(parts.map(({ values }) => values)).toEqual(['a'])
  })

  it('waits for a table with its place in the group kept, unless the consumer is stopped meanwhile', async () => {
    const world = new ProcessWorld('integration')
    await publish('a')
    let beats = 0
    const beating = (onBeat: () => void) =>
      log.readBatch(GROUP, (payload) =>
        consumerOf(world)({
          ...payload,
          heartbeat: async () => {
            beats += 1
            onBeat()
          },
        }),
      )
    await beating(() => (log.isRunning = false))
    expect([beats, log.offset(GROUP), parts]).toEqual([1, 0, []])
    log.isRunning = true
    await beating(() => world.hold(SHOP))
    expect([log.offset(GROUP), parts.length]).toEqual([1, 1])
  })

  it('brings each message once to whoever owns it, in its context and order, whatever stands in it', async () => {
    const senders = fc.array(fc.constantFrom('a', 'x', 'y', 's'), { minLength: 1, maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(senders, async (names) => {
        log = new KafkaLog()
        parts = []
        await publish(...names)
        await settle(baseline(), feature())
        const handled = (by: string): string => parts.map((part) => (part.by === by ? part.values : '')).join('')
        expect(handled('integration')).toBe(names.filter((name) => name === 'a' || name === 'y').join(''))
        expect(handled('feature-x')).toBe(names.filter((name) => name === 'x' || name === 's').join(''))
        const owners = { undefined: 'a', 'feature-x': 'x', 'feature-y': 'y', stacked: 's' }
        for (const { tenant, values } of parts) {
          expect(values).toMatch(
            new RegExp(`^${Object.entries(owners).find(([name]) => name === String(tenant))?.[1]}+$`),
          )
        }
      }),
    )
  })

  it('fits the types of kafkajs', () => {
    const options = { topic: 'orders', producer: log }
    const config = batchConsumer(baseline(), options, async (_payload: EachBatchPayload) => undefined)
    expectTypeOf({ partitionsConsumedConcurrently: 3, ...config }).toExtend<ConsumerRunConfig>()
    expect(config.eachBatchAutoResolve).toBe(false)
    const { tenant, messages } = baseline()
    const nameless = { tenant, messages, service: undefined }
    expect(() => batchConsumer(nameless, options, async () => undefined)).toThrow('name the service')
  })
})
