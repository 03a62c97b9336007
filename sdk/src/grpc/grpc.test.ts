import type { EventEmitter } from 'node:events'
import {
  Metadata,
  Server,
  ServerCredentials,
  credentials,
  makeGenericClientConstructor,
  status,
  type ChannelInterface,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type ServiceError,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { eventually } from '@tributary/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connect } from '../connect.js'
import { currentContext, runWithContext, runWithTenant } from '../context/routing-context.js'
import { FakeConfigCenter } from '../fake-config-center.test-support.js'
import { createChannel, tributaryInterceptor } from '../grpc.js'
import type { Tributary } from '../tributary.js'

const text = { serialize: (value: string) => Buffer.from(value), deserialize: (bytes: Buffer) => bytes.toString() }
const method = (path: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/Orders/${path}`,
  requestStream,
  responseStream,
  requestSerialize: text.serialize,
  requestDeserialize: text.deserialize,
  responseSerialize: text.serialize,
  responseDeserialize: text.deserialize,
})
const definition = {
  ask: method('ask', false, false),
  list: method('list', false, true),
  collect: method('collect', true, false),
} satisfies ServiceDefinition

let center: FakeConfigCenter
let client: Tributary
let servers: Server[]
let ports: Record<string, number>
let channel: ChannelInterface
let orders: InstanceType<ReturnType<typeof makeGenericClientConstructor>>

/** What a handler sees: who it is, the tenant after a wait, the others' members. */
async function seen(who: string, metadata: Metadata): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 1))
  const { tenant, baggage } = currentContext()
  return [who, tenant ?? 'none', baggage.map(({ text }) => text).join('+'), metadata.get('baggage').join()].join(' ')
}

function implementation(who: string) {
  return {
    ask: (call: ServerUnaryCall<string, string>, answer: sendUnaryData<string>) => {
      void seen(who, call.metadata).then((value) => answer(null, value))
    },
    list: async (call: ServerWritableStream<string, string>) => {
      const value = await seen(who, call.metadata)
      call.write(value)
      call.write(value)
      call.end()
    },
    collect: (call: ServerReadableStream<string, string>, answer: sendUnaryData<string>) => {
      const tenants: string[] = []
      call.on('data', () => tenants.push(currentContext().tenant ?? 'none'))
      call.on('end', () => void seen(who, call.metadata).then((value) => answer(null, `${value} ${tenants.join('+')}`)))
    },
  }
}

async function serve(who: string): Promise<object> {
  const server = new Server({ interceptors: [tributaryInterceptor(client)] })
  server.addService(definition, implementation(who))
  servers.push(server)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound)
      else reject(error)
    })
  })
  ports[who] = port
  return {
    state: 'present',
    endpoints: [
      { name: 'http', protocol: 'http', host: '127.0.0.1', port: 9 },
      { name: 'grpc', protocol: 'grpc', host: '127.0.0.1', port },
    ],
  }
}

beforeEach(async () => {
  center = new FakeConfigCenter()
  servers = []
  ports = {}
  await center.start()
  center.seed(
    { chain: ['integration'] },
    {
      'tenant/integration': { base: null },
      'tenant/feature-x': { base: 'integration' },
      'tenant/feature-y': { base: 'integration' },
    },
  )
  client = await connect(center.options({ tenant: 'integration' }))
  const routes: Record<string, object> = {}
  for (const who of ['integration/orders', 'feature-x/orders']) routes[`entry/${who}`] = await serve(who)
  const { endpoints } = routes['entry/integration/orders'] as { endpoints: unknown }
  center.publish({ 'service/orders': { state: 'own', owner: 'integration', endpoints } }, routes)
  await eventually(() => expect(client.resolve('orders', { tenant: 'feature-x' }).owner).toBe('feature-x'))
  channel = createChannel(client, { service: 'orders', credentials: credentials.createInsecure() })
  const Orders = makeGenericClientConstructor(definition, 'Orders')
  orders = new Orders('orders', credentials.createInsecure(), { channelOverride: channel })
})
afterEach(async () => {
  orders.close()
  for (const server of servers) server.forceShutdown()
  await client.close()
  await center.stop()
})

function ask(metadata = new Metadata()): Promise<string> {
  return new Promise((resolve, reject) => {
    orders['ask']?.('hello', metadata, (error: ServiceError | null, value: string) => {
      if (error === null) resolve(value)
      else reject(error)
    })
  })
}

describe('gRPC', () => {
  it('goes to the copy that the tenant of the request sees, and its handler runs in the context', async () => {
    expect(await ask()).toBe('integration/orders none  ')
    expect(await runWithTenant('feature-x', () => ask())).toBe('feature-x/orders feature-x  tributary-tenant=feature-x')
    expect(await runWithTenant('feature-y', () => ask())).toBe(
      'integration/orders feature-y  tributary-tenant=feature-y',
    )
  })

  it('never mixes up tenants that call at once', async () => {
    const tenants = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? 'feature-x' : 'feature-y'))
    const answers = await Promise.all(tenants.map((tenant) => runWithTenant(tenant, () => ask())))
    expect(answers.map((answer) => answer.split(' ')[1])).toEqual(tenants)
    expect(answers.map((answer) => answer.split(' ')[0])).toEqual(
      tenants.map((tenant) => (tenant === 'feature-x' ? 'feature-x/orders' : 'integration/orders')),
    )
  })

  it('passes on the members of others, and leaves the metadata of the program as it is', async () => {
    const metadata = new Metadata()
    metadata.set('baggage', 'b=2,tributary-tenant=feature-y')
    const context = client.routing.accept('a \t= 1;p,tributary-tenant=feature-x')
    const answer = await runWithContext(context, () => ask(metadata))
    expect(answer).toBe('feature-x/orders feature-x b=2+a  = 1;p tributary-tenant=feature-x,b=2,a  = 1;p')
    expect(metadata.get('baggage')).toEqual(['b=2,tributary-tenant=feature-y'])
  })

  it('tells callers of the answer in the context of their call, over a connection that tenants share', async () => {
    const tenantNow = (): string => currentContext().tenant ?? 'none'
    const listen = (): Promise<string[]> =>
      new Promise((resolve, reject) => {
        const heard: string[] = []
        const note = (): void => void heard.push(tenantNow())
        const stream = orders['list']?.('hello', new Metadata()) as EventEmitter
        for (const event of ['metadata', 'data', 'status']) stream.on(event, note)
        stream.on('error', reject).on('end', () => {
          note()
          orders['ask']?.('hello', new Metadata(), () => resolve([...heard, tenantNow()]))
        })
      })
    const tenants = ['feature-y', 'none', 'integration', 'feature-y', 'none']
    const answers: string[][] = []
    for (const tenant of tenants) answers.push(await (tenant === 'none' ? listen() : runWithTenant(tenant, listen)))
    const atOnce = await Promise.all(
      tenants.map((tenant) => (tenant === 'none' ? listen() : runWithTenant(tenant, listen))),
    )
    for (const [index, heard] of [...answers, ...atOnce].entries()) {
      expect(heard.length).toBeGreaterThan(5)
      expect(new Set(heard)).toEqual(new Set([tenants[index % tenants.length]]))
    }
  })

  it('carries streams of the server', async () => {
    const listed = await runWithTenant('feature-x', async () => {
      const values: string[] = []
      const stream = orders['list']?.('hello', new Metadata()) as AsyncIterable<string>
      for await (const value of stream) values.push(value)
      return values
    })
    expect(listed).toEqual(Array.from({ length: 2 }, () => 'feature-x/orders feature-x  tributary-tenant=feature-x'))
  })

  it('carries streams of the client', async () => {
    const collected = await runWithTenant(
      'feature-y',
      () =>
        new Promise<string>((resolve, reject) => {
          const stream = orders['collect']?.((error: ServiceError | null, value: string) =>
            error === null ? resolve(value) : reject(error),
          ) as { write(value: string): void; end(): void }
          stream.write('one')
          stream.write('two')
          stream.end()
        }),
    )
    expect(collected).toBe('integration/orders feature-y  tributary-tenant=feature-y feature-y+feature-y')
  })

  it('says that a service is masked, missing or not known yet', async () => {
    center.publish({}, { 'entry/feature-x/orders': { state: 'masked', endpoints: [] } })
    await eventually(() => expect(client.resolve('orders', { tenant: 'feature-x' }).state).toBe('masked'))
    await expect(runWithTenant('feature-x', () => ask())).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: expect.stringContaining('SERVICE_MASKED') as string,
    })
    center.publish({ 'service/orders': null }, { 'entry/integration/orders': null })
    await eventually(() => expect(client.resolve('orders').state).toBe('missing'))
    await expect(ask()).rejects.toMatchObject({ code: status.NOT_FOUND })
  })

  it('follows a service that moves, and lets go of the address that left', async () => {
    expect(await runWithTenant('feature-x', () => ask())).toContain('feature-x/orders')
    const moved = await serve('feature-x/moved')
    center.publish({}, { 'entry/feature-x/orders': moved })
    await eventually(() =>
      expect(client.resolve('orders', { tenant: 'feature-x' }).endpoints[1]?.port).toBe(ports['feature-x/moved']),
    )
    expect(await runWithTenant('feature-x', () => ask())).toContain('feature-x/moved')
    channel.close()
    expect(channel.getTarget()).toBe('orders')
  })
})
