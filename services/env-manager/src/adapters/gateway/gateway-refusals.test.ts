import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { until } from '../../ports/platform-contract.test-support.js'
import { useGateway } from './gateway-world.test-support.js'
import { silentEndpoint } from './silent-endpoint.test-support.js'

const world = useGateway()

describe('a service that does not take connections', () => {
  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'GET'])(
    'yet gets a %s with its body once, as soon as it does',
    async (method) => {
      const service = await world.late()
      world.own('orders', service.endpoint)
      const body = 'x'.repeat(200_000)
      const answer = world.ask('/orders/', { method, body, headers: { 'content-length': String(body.length) } })
      await until(() => world.resolutions > 2)
      await service.begin()
      expect(await answer).toMatchObject({ status: 200, text: 'late' })
      expect(service.heard()).toEqual([`${method} 200000`])
    },
  )

  test('yet gets a request to switch protocols as soon as it does', async () => {
    const service = await world.late()
    world.own('orders', service.endpoint)
    const client = world.upgrade('/orders/socket')
    client.socket.write('early')
    await until(() => world.resolutions > 2)
    await service.begin()
    await until(() => client.text().endsWith('early'))
    expect(service.heard()).toEqual(['upgrade'])
    client.socket.destroy()
  })

  test('any more is given up after a few seconds, with a page that says so', async () => {
    world.own('orders', await world.closed())
    const startedAt = performance.now()
    const answer = await world.ask('/orders/', { method: 'POST', body: 'x' })
    expect([answer.status, answer.text]).toEqual([502, expect.stringContaining('ECONNREFUSED')])
    expect(performance.now() - startedAt).toBeGreaterThan(2_000)
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })

  test('is not asked any more once its caller is gone', async () => {
    world.own('orders', await world.closed())
    const client = connect(world.gateway.port, '127.0.0.1').on('error', () => undefined)
    client.write('POST /orders/ HTTP/1.1\r\nhost: feature-x.localhost\r\ncontent-length: 1\r\n\r\nx')
    await until(() => world.resolutions > 2)
    client.destroy()
    const service = await world.late()
    world.own('orders', service.endpoint)
    await service.begin()
    expect((await world.ask('/orders/')).text).toBe('late')
    expect(service.heard()).toEqual(['GET 0'])
  })

  test('gets one request once when it ends the connection in the middle', async () => {
    let heard = 0
    world.own(
      'orders',
      await world.serve((request) => {
        heard += 1
        request.socket.destroy()
      }),
    )
    expect((await world.ask('/orders/', { method: 'POST', body: 'x' })).status).toBe(502)
    expect(heard).toBe(1)
  })

  test('and never refuses them either is left for whoever answers at the next attempt, by any method', async () => {
    const silent = await silentEndpoint()
    const living = await world.echo()
    const original = world.table.get.bind(world.table)
    try {
      for (const method of ['GET', 'POST']) {
        world.resolutions = 0
        world.own('orders', silent.endpoint)
        world.table.get = (key) =>
          world.resolutions > 2 ? { state: 'own', owner: 'feature-x', endpoint: living } : original(key)
        const answer = await world.ask('/orders/', {
          method,
          ...(method === 'POST' ? { body: 'x'.repeat(100_000) } : {}),
        })
        expect([method, answer.status]).toEqual([method, 200])
      }
    } finally {
      world.table.get = original
      silent.end()
    }
  })

  test('and never refuses them either is given up as soon', async () => {
    const silent = await silentEndpoint()
    world.own('orders', silent.endpoint)
    const startedAt = performance.now()
    const answer = await world.ask('/orders/')
    silent.end()
    expect(answer.status).toBe(502)
    expect(answer.text).toContain('ETIMEDOUT')
    expect(performance.now() - startedAt).toBeGreaterThan(2_000)
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })
})
