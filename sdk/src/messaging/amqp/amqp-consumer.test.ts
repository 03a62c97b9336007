import { connect, type ChannelModel, type ConfirmChannel, type ConsumeMessage } from 'amqplib'
import { RABBITMQ, RabbitmqServer, describeWithServer, eventually } from '@tributary/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { currentTenant, runWithTenant } from '../../context/routing-context.js'
import { PARKED_HEADER, parkingOf } from '../lanes.js'
import type { Messages } from '../messages.js'
import type { MessagingClient } from '../messaging-client.js'
import { ProcessWorld, SHOP, type Tenants } from '../messaging-world.test-support.js'
import { consumeInContext, type TenantConsumer } from './amqp-consumer.js'
import { inContext } from './amqp-publish.js'

interface Done {
  readonly by: string
  readonly body: string
  /** The routing context that the handler ran in. */
  readonly tenant: string | undefined
}

const WITHOUT_X: Tenants = { integration: SHOP['integration'] ?? { base: null, services: {} } }
const UNCLAIMED_MS = 300

describeWithServer('messages of RabbitMQ', RABBITMQ, () => {
  let rabbit: RabbitmqServer
  let connection: ChannelModel
  let publisher: ConfirmChannel
  let consumers: TenantConsumer[]
  let queue: string
  let done: Done[]
  let problems: string[]
  let queues = 0

  beforeAll(async () => {
    rabbit = await RabbitmqServer.start()
  }, 90_000)

  afterAll(async () => {
    await rabbit?.stop()
  }, 30_000)

  beforeEach(async () => {
    queues += 1
    queue = `orders-${queues}`
    consumers = []
    done = []
    problems = []
    connection = await connect(rabbit.url)
    publisher = await connection.createConfirmChannel()
    await publisher.assertQueue(queue, { durable: true })
  })

  afterEach(async () => {
    await Promise.all(consumers.map((consumer) => consumer.close()))
    await connection.close()
  })

  const baseline = (tenants: Tenants = SHOP): ProcessWorld => new ProcessWorld('integration').hold(tenants)
  const feature = (): ProcessWorld => new ProcessWorld('feature-x').hold(SHOP)

  /** A consumer on a channel of its own, as in a process of its own. */
  async function consume(
    world: MessagingClient,
    handle: (message: ConsumeMessage) => Promise<void> | void = () => undefined,
  ): Promise<TenantConsumer> {
    const channel = await connection.createConfirmChannel()
    await channel.prefetch(10)
    const onProblem = (problem: string): void => void problems.push(problem)
    const handler = async (message: ConsumeMessage): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve))
      done.push({ by: world.tenant, body: message.content.toString(), tenant: currentTenant() })
      await handle(message)
    }
    const consumer = await consumeInContext(world, channel, {
      queue,
      unclaimedAfterMs: UNCLAIMED_MS,
      onProblem,
      handler,
    })
    consumers.push(consumer)
    return consumer
  }

  async function publish(tenant: string | undefined, ...bodies: readonly string[]): Promise<void> {
    for (const body of bodies) {
      const options = runWithTenant(tenant, () => inContext(baseline(), { persistent: true, messageId: body }))
      publisher.sendToQueue(queue, Buffer.from(body), options)
    }
    await publisher.waitForConfirms()
  }

  const bodies = (): string[] => done.map(({ body }) => body).sort()
  const settled = (count: number): Promise<void> =>
    eventually(() => expect(done.length).toBeGreaterThanOrEqual(count), { timeoutMs: 15_000 })

  it('reach the tenant’s own consumer, or the baseline’s, each once and in its context', async () => {
    await consume(baseline())
    await consume(feature())
    const tenants = ['feature-x', 'feature-y', 'stacked', undefined]
    for (let number = 0; number < 40; number += 1) await publish(tenants[number % 4], String(number).padStart(2, '0'))
    await settled(40)
    const expected = Array.from({ length: 40 }, (_each, number) => {
      const tenant = tenants[number % 4]
      const isX = tenant === 'feature-x' || tenant === 'stacked'
      return { by: isX ? 'feature-x' : 'integration', body: String(number).padStart(2, '0'), tenant }
    })
    expect(done.toSorted((one, other) => one.body.localeCompare(other.body))).toEqual(expected)
    expect(problems).toEqual([])
  })

  it('keep their properties when they are handed over, and say where they came from', async () => {
    const seen: ConsumeMessage[] = []
    await consume(baseline())
    await consume(feature(), (message) => void seen.push(message))
    await publish('feature-x', 'one')
    await settled(1)
    expect(seen[0]?.properties).toMatchObject({ messageId: 'one', deliveryMode: 2 })
    expect(seen[0]?.properties.headers).toMatchObject({
      baggage: 'tributary-tenant=feature-x',
      'tributary-routing-key': queue,
    })
  })

  it('go back to the baseline when the environment goes with messages in its lane', async () => {
    const base = baseline()
    await consume(base)
    const own = await consume(feature())
    await publish('feature-x', 'a')
    await settled(1)
    await own.close()
    await publish('feature-x', 'b', 'c')
    await eventually(async () => expect((await publisher.checkQueue(own.queue)).messageCount).toBe(2))
    base.hold(WITHOUT_X)
    await settled(3)
    expect(done.map(({ by }) => by)).toEqual(['feature-x', 'integration', 'integration'])
    expect(bodies()).toEqual(['a', 'b', 'c'])
  })

  it('wait for an owner who is slow to come, however often nobody claims them', async () => {
    const base = baseline()
    let judged = 0
    const messages: Messages = {
      baseline: base.messages.baseline,
      hasTenant: (tenant) => base.messages.hasTenant(tenant),
      decide: (service, tenant) => base.messages.decide(service, tenant),
      baggage: (present) => base.messages.baggage(present),
      receive: (service, baggage) => {
        judged += 1
        return base.messages.receive(service, baggage)
      },
    }
    await consume({ tenant: base.tenant, service: base.service, messages })
    await publish('feature-x', 'early')
    await eventually(() => expect(judged).toBeGreaterThan(2))
    expect(done).toEqual([])
    await consume(feature())
    await settled(1)
    expect(done).toEqual([{ by: 'feature-x', body: 'early', tenant: 'feature-x' }])
  })

  it('are lost by nobody and handled twice by nobody while an environment comes and goes', async () => {
    const withoutOwn: Tenants = { ...SHOP, 'feature-x': { base: 'integration', services: {} } }
    const [base, own] = [baseline(), feature()]
    await consume(base)
    await consume(own)
    for (let round = 0; round < 12; round += 1) {
      await publish('feature-x', ...Array.from({ length: 5 }, (_each, index) => `${round}-${index}`))
      const [first, second] = round % 2 === 0 ? [base, own] : [own, base]
      const tenants = round % 4 < 2 ? withoutOwn : SHOP
      first.hold(tenants)
      await publish('feature-x', `${round}-between`)
      second.hold(tenants)
    }
    await settled(72)
    expect(new Set(bodies()).size).toBe(72)
    expect(done).toHaveLength(72)
    expect(problems).toEqual([])
  })

  it('are parked with the reason when their service is masked, and when a handler fails twice', async () => {
    const world = new ProcessWorld('integration', { service: 'mail' }).hold(SHOP)
    await consume(world, () => {
      throw new Error('broken')
    })
    await publish('feature-x', 'masked')
    await publish(undefined, 'poison')
    const parking = parkingOf(queue)
    // Declaring it is idempotent; asking for its state before it is there would close the channel.
    await eventually(async () => {
      expect((await publisher.assertQueue(parking, { durable: true })).messageCount).toBe(2)
    })
    const parked = await Promise.all([1, 2].map(() => publisher.get(parking, { noAck: true })))
    const reasons = parked.map(
      (message) => message && [message.content.toString(), message.properties.headers?.[PARKED_HEADER]],
    )
    expect(reasons.sort()).toEqual([
      ['masked', 'mail is masked by feature-x'],
      ['poison', 'the handler failed twice'],
    ])
    expect(bodies()).toEqual(['poison', 'poison'])
  })

  it('stay where they are while no table is held', async () => {
    const world = new ProcessWorld('integration')
    await expect(consume(world)).rejects.toThrow('no view is held yet')
  })
})
