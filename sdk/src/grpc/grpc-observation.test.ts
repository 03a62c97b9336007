import {
  Metadata,
  Server,
  ServerCredentials,
  credentials,
  makeGenericClientConstructor,
  status,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { eventually } from '@tributary/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connect } from '../connect.js'
import { runWithTenant } from '../context/routing-context.js'
import { FakeConfigCenter } from '../fake-config-center.test-support.js'
import { createChannel, tributaryInterceptor } from '../grpc.js'
import { observePayments } from '../observe/observed-payments.test-support.js'
import type { ProcessObserver } from '../observe/process-observer.js'
import type { Tributary } from '../tributary.js'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const bytes = (value: string): Buffer => Buffer.from(value)
const text = (value: Buffer): string => value.toString()
const definition = {
  pay: {
    path: '/shop.Payments/Pay',
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: text,
    responseSerialize: bytes,
    responseDeserialize: text,
  },
}
const Payments = makeGenericClientConstructor(definition, 'Payments')

let center: FakeConfigCenter
let client: Tributary
let observer: ProcessObserver
let server: Server
let port: number
let answerWith: (answer: sendUnaryData<string>) => void
const clients: InstanceType<typeof Payments>[] = []

/** `integration/payments`, in a process whose observer takes `feature-x` for the owner of another copy. */
beforeEach(async () => {
  center = new FakeConfigCenter()
  await center.start()
  center.seed(
    { chain: ['integration'] },
    {
      'tenant/integration': { base: null },
      'tenant/feature-x': { base: 'integration' },
      'tenant/feature-y': { base: 'integration' },
    },
  )
  client = await connect(center.options({ tenant: 'integration', service: 'web' }))
  observer = observePayments(client)
  answerWith = (answer) => answer(null, 'paid')
  server = new Server({ interceptors: [tributaryInterceptor(client)] })
  server.addService(definition, {
    pay: (_call: ServerUnaryCall<string, string>, answer: sendUnaryData<string>) => answerWith(answer),
  })
  port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  const endpoints = [{ name: 'grpc', protocol: 'grpc', host: '127.0.0.1', port }]
  center.publish(
    { 'service/payments': { state: 'own', owner: 'integration', endpoints } },
    { 'entry/integration/payments': { state: 'present', endpoints } },
  )
  await eventually(() => expect(client.resolve('payments', { tenant: 'feature-y' }).state).toBe('inherited'))
})
afterEach(async () => {
  for (const one of clients.splice(0)) one.close()
  server.forceShutdown()
  await client.close()
  await center.stop()
})

/** A client that goes through the routing channel, or one that knows nothing of it. */
function payments(kind: 'routed' | 'plain'): InstanceType<typeof Payments> {
  const insecure = credentials.createInsecure()
  const options =
    kind === 'routed' ? { channelOverride: createChannel(client, { service: 'payments', credentials: insecure }) } : {}
  const made = new Payments(`127.0.0.1:${port}`, insecure, options)
  clients.push(made)
  return made
}

function pay(by: InstanceType<typeof Payments>, metadata = new Metadata()): Promise<string> {
  return new Promise((resolve, reject) => {
    by['pay']?.('7', metadata, (error: ServiceError | null, value: string) =>
      error === null ? resolve(value) : reject(error),
    )
  })
}

function metadataOf(values: Record<string, string>): Metadata {
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(values)) metadata.set(name, value)
  return metadata
}

describe('calls by gRPC', () => {
  it('are counted by tenant, and as failed when the service failed, not when it said no', async () => {
    const routed = payments('routed')
    await runWithTenant('feature-y', () => pay(routed))
    answerWith = (answer) => answer({ code: status.NOT_FOUND })
    await expect(runWithTenant('feature-y', () => pay(routed))).rejects.toMatchObject({ code: status.NOT_FOUND })
    answerWith = (answer) => answer({ code: status.INTERNAL })
    await expect(runWithTenant('feature-y', () => pay(routed))).rejects.toMatchObject({ code: status.INTERNAL })
    await expect(pay(routed)).rejects.toMatchObject({ code: status.INTERNAL })
    const { calls, leaks } = observer.counter.take()
    expect(calls.map(({ tenant, to, calls: count, errors }) => [tenant, to, count, errors])).toEqual([
      ['feature-y', 'payments', 3, 1],
      [null, 'payments', 1, 1],
    ])
    expect(leaks).toEqual([])
  })

  it('are misrouted when they reach a copy that is not the tenant’s, and say who called', async () => {
    const traceparent = `00-${TRACE}-b7ad6b7169203331-01`
    const metadata = metadataOf({ baggage: 'tributary-tenant=feature-x', 'tributary-caller': 'orders', traceparent })
    await pay(payments('plain'), metadata)
    await runWithTenant('feature-x', () => pay(payments('routed')))
    expect(observer.counter.take().leaks).toEqual([
      {
        kind: 'misrouted',
        tenant: 'feature-x',
        peer: 'orders',
        route: 'POST /shop.Payments/Pay',
        count: 1,
        traceId: TRACE,
      },
      { kind: 'misrouted', tenant: 'feature-x', peer: 'web', route: 'POST /shop.Payments/Pay', count: 1 },
    ])
  })

  it('are suspected when they leave without a context while a call of a tenant is served, and only then', async () => {
    const routed = payments('routed')
    const pending: sendUnaryData<string>[] = []
    answerWith = (answer) => void pending.push(answer)
    const serving = pay(payments('plain'), metadataOf({ baggage: 'tributary-tenant=feature-y' }))
    await eventually(() => expect(pending.length).toBe(1))
    answerWith = (answer) => answer(null, 'paid')
    await pay(routed)
    pending[0]?.(null, 'paid')
    await serving
    await pay(routed)
    expect(observer.counter.take().leaks).toEqual([
      { kind: 'suspected', tenant: 'feature-y', peer: 'payments', route: 'POST /shop.Payments/Pay', count: 1 },
    ])
  })

  it('are known by their trace when the context was lost', async () => {
    const traceparent = `00-${TRACE}-b7ad6b7169203331-01`
    await pay(payments('plain'), metadataOf({ baggage: 'tributary-tenant=feature-y', traceparent }))
    await pay(payments('routed'), metadataOf({ traceparent }))
    expect(observer.counter.take().leaks).toMatchObject([{ kind: 'dropped', tenant: 'feature-y', traceId: TRACE }])
  })

  it('count as ended when they are cancelled', async () => {
    answerWith = () => undefined
    const by = payments('plain')
    const metadata = metadataOf({ baggage: 'tributary-tenant=feature-y' })
    const cancelled = new Promise<ServiceError | null>((resolve) => {
      const call = by['pay']?.('7', metadata, (error: ServiceError | null) => resolve(error)) as { cancel(): void }
      answerWith = () => call.cancel()
    })
    expect(await cancelled).toMatchObject({ code: status.CANCELLED })
    answerWith = (answer) => answer(null, 'paid')
    await eventually(async () => {
      await pay(payments('routed'))
      expect(observer.counter.take().leaks).toEqual([])
    })
  })
})
