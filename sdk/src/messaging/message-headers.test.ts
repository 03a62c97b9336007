import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadOpenTelemetry } from '../context/open-telemetry.js'
import { runWithTenant } from '../context/routing-context.js'
import { inContext as amqpInContext } from './amqp/amqp-publish.js'
import { inContext as kafkaInContext } from './kafka/kafka-producer.js'
import { baggageOf, type MessageHeaders } from './message-headers.js'
import { ProcessWorld, SHOP } from './messaging-world.test-support.js'

const world = (): ProcessWorld => new ProcessWorld('integration').hold(SHOP)

const SENDERS: Readonly<Record<string, (headers: MessageHeaders) => Record<string, unknown>>> = {
  amqplib: (headers) => ({ ...amqpInContext(world(), { headers }).headers }),
  kafkajs: (headers) => {
    const [message] = kafkaInContext(world(), [{ value: 'paid', headers }])
    return { ...message?.headers }
  },
}

describe.each(Object.entries(SENDERS))('the headers of a message that is sent by %s', (_client, send) => {
  it('bear the tenant, and nothing where there is none', () => {
    expect(baggageOf(runWithTenant('feature-y', () => send({ 'x-one': '1' })))).toBe('tributary-tenant=feature-y')
    expect(send({ 'x-one': '1' })).toEqual({ 'x-one': '1' })
  })

  it('do not change whose message it is that is passed on', () => {
    const stored = runWithTenant('feature-x', () => send({ baggage: 'user=7' }))
    const passedOn = runWithTenant('feature-y', () => send(stored))
    expect(baggageOf(passedOn)).toBe('tributary-tenant=feature-x,user=7')
    const { baggage: _gone, ...stamp } = stored
    expect(baggageOf(runWithTenant('feature-y', () => send(stamp)))).toBe('tributary-tenant=feature-x')
  })

  describe('beside OpenTelemetry', () => {
    let provider: NodeTracerProvider

    beforeEach(async () => {
      await loadOpenTelemetry()
      provider = new NodeTracerProvider()
      provider.register()
    })
    afterEach(async () => {
      for (const api of [context, propagation, trace]) api.disable()
      await provider.shutdown()
    })

    it('bear its members, and the tenant also when its instrumentation writes its own baggage over ours', () => {
      const active = propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage({ user: { value: '7' } }))
      const headers = context.with(active, () => runWithTenant('feature-y', () => send({})))
      expect(baggageOf(headers)).toBe('tributary-tenant=feature-y,user=7')
      // What the instrumentations of amqplib and kafkajs do with the headers of a message.
      propagation.inject(active, headers)
      expect(headers['baggage']).toBe('user=7')
      expect(baggageOf(headers)).toBe('tributary-tenant=feature-y,user=7')
    })
  })
})

describe('the baggage of a message that came in', () => {
  it.each([
    [{}, undefined],
    [{ baggage: Buffer.from('a=1,tributary-tenant=feature-x') }, 'a=1,tributary-tenant=feature-x'],
    [{ baggage: 'tributary-tenant=feature-x', 'tributary-tenant': 'feature-y' }, 'tributary-tenant=feature-x'],
    [{ baggage: 'a=1', 'tributary-tenant': Buffer.from('feature-y') }, 'tributary-tenant=feature-y,a=1'],
    [{ 'tributary-tenant': 'a\r\nb,c=1' }, 'tributary-tenant=a%0D%0Ab%2Cc%3D1'],
  ])('is read of %j', (headers, baggage) => {
    expect(baggageOf(headers)).toBe(baggage)
  })
})
