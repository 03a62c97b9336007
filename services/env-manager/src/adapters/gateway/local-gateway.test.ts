import { request as httpRequest } from 'node:http'
import { describe, expect, test } from 'vitest'
import { until } from '../../ports/platform-contract.test-support.js'
import { useGateway } from './gateway-world.test-support.js'
import { createLocalGateway } from './local-gateway.js'

const world = useGateway()

describe('requests', () => {
  test('reach the service with the environment as routing context, and say who answered', async () => {
    world.own('orders', await world.echo())
    const answer = await world.ask('/orders/list/%2F..?a=b&c', { headers: { baggage: 'user=7,tributary-tenant=evil' } })
    expect(answer.headers).toMatchObject({
      'x-tributary-environment': 'feature-x',
      'x-tributary-served-by': 'feature-x/orders',
      'x-custom': 'kept',
    })
    const { url, headers } = JSON.parse(answer.text)
    expect(url).toBe('/list/%2F..?a=b&c')
    expect(headers).toMatchObject({
      baggage: 'tributary-tenant=feature-x,user=7',
      host: 'feature-x.localhost',
      'x-forwarded-prefix': '/orders',
    })
  })

  test('for an inherited service keep the environment of the request', async () => {
    world.table.set('feature-x/stock', { state: 'inherited', owner: 'integration', endpoint: await world.echo() })
    const answer = await world.ask('/stock/')
    expect(answer.headers['x-tributary-served-by']).toBe('integration/stock')
    expect(JSON.parse(answer.text).headers.baggage).toBe('tributary-tenant=feature-x')
  })

  test('do not carry what belongs to one connection, or what a caller claims about its way here', async () => {
    world.own('orders', await world.echo())
    const { headers } = await world.seen('/orders/', {
      headers: {
        connection: 'close, X-Private',
        'x-private': '1',
        'keep-alive': 'timeout=5',
        te: 'trailers',
        'proxy-authorization': 'Basic x',
        'x-forwarded-for': '6.6.6.6',
        forwarded: 'for=6.6.6.6',
        'x-kept': '1',
      },
    })
    for (const name of ['x-private', 'keep-alive', 'te', 'proxy-authorization', 'forwarded'])
      expect(headers).not.toHaveProperty(name)
    expect(headers).toMatchObject({ 'x-kept': '1', 'x-forwarded-for': '127.0.0.1' })
  })

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'GET'])(
    'with %s carry a body of known and of unknown length',
    async (method) => {
      world.own('orders', await world.echo())
      const body = 'x'.repeat(100_000)
      expect(
        await world.seen('/orders/', { method, body, headers: { 'content-length': String(body.length) } }),
      ).toMatchObject({ method, body })
      expect(await world.seen('/orders/', { method, body, headers: { 'transfer-encoding': 'chunked' } })).toMatchObject(
        {
          method,
          body,
        },
      )
    },
  )

  test('without a slash after the service are led to one', async () => {
    world.own('orders', await world.echo())
    expect(await world.ask('/orders?a=b')).toMatchObject({ status: 308, headers: { location: '/orders/?a=b' } })
    expect(await world.seen('/orders', { method: 'POST', body: '1' })).toMatchObject({ url: '/', body: '1' })
  })

  test('get redirects that lead back through the gateway', async () => {
    const locations = [
      '/login',
      '/orders/done',
      '//elsewhere/x',
      'https://example.com/',
      'next',
      'http://feature-x.localhost/a',
    ]
    world.own(
      'orders',
      await world.serve((request, response) =>
        response.writeHead(302, { location: locations[Number(request.url?.slice(1))] }).end(),
      ),
    )
    const seenLocations = await Promise.all(
      locations.map(async (_, index) => (await world.ask(`/orders/${index}`)).headers.location),
    )
    expect(seenLocations).toEqual([
      '/orders/login',
      '/orders/done',
      '//elsewhere/x',
      'https://example.com/',
      'next',
      '/orders/a',
    ])
  })

  test('get a stream as it comes, and the service learns when its reader has gone', async () => {
    let gone = false
    let sendMore = (): void => undefined
    const endpoint = await world.serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      sendMore = () => response.write('data: 2\n\n')
      response.write('data: 1\n\n')
      response.once('close', () => (gone = true))
    })
    world.own('orders', endpoint)
    const request = httpRequest({
      host: '127.0.0.1',
      port: world.gateway.port,
      path: '/orders/',
      headers: { host: 'feature-x.localhost' },
      agent: false,
    }).end()
    let text = ''
    request.once('response', (response) =>
      response
        .setEncoding('utf8')
        .on('data', (chunk: string) => (text += chunk))
        .on('error', () => undefined),
    )
    request.on('error', () => undefined)
    await until(() => text === 'data: 1\n\n')
    sendMore()
    await until(() => text.includes('data: 2'))
    request.destroy()
    await until(() => gone)
    expect(text).toBe('data: 1\n\ndata: 2\n\n')
  })

  test('that are cut by the service are cut for the reader too', async () => {
    world.own(
      'orders',
      await world.serve((_, response) => {
        response.writeHead(200, { 'content-length': '1000' })
        response.write('half', () => response.socket?.destroy())
      }),
    )
    await expect(world.ask('/orders/')).rejects.toMatchObject({ code: 'ECONNRESET' })
  })
})

describe('routes', () => {
  test('name the URL of an environment and of a service', () => {
    expect(world.gateway.urlOf('feature-x')).toBe(`http://feature-x.localhost:${world.gateway.port}/`)
    expect(world.gateway.urlOf('feature-x', 'orders')).toBe(`http://feature-x.localhost:${world.gateway.port}/orders/`)
  })

  test('are applied and removed any number of times, and looked at again', async () => {
    await world.gateway.apply('feature-x')
    expect(await world.gateway.verifyGone('feature-x')).toMatchObject({ gone: false })
    await world.gateway.remove('feature-x')
    await world.gateway.remove('feature-x')
    expect(await world.gateway.verifyGone('feature-x')).toMatchObject({ gone: true })
    await world.gateway.close()
    expect(await world.gateway.verifyGone('feature-x')).toMatchObject({ gone: true })
  })

  test('fail with one clear line when the port is in use', async () => {
    const second = createLocalGateway({
      host: '127.0.0.1',
      port: world.gateway.port,
      resolve: () => undefined,
      listServices: () => [],
    })
    await expect(second.start()).rejects.toMatchObject({
      code: 'GATEWAY_PORT_IN_USE',
      message: expect.stringMatching(/^[^\n]*in use[^\n]*$/),
    })
  })
})
