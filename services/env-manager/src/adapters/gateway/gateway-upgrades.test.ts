import { describe, expect, test } from 'vitest'
import { until } from '../../ports/platform-contract.test-support.js'
import { useGateway } from './gateway-world.test-support.js'

const world = useGateway()

describe('upgrades', () => {
  test('tie both connections together, with the routing context', async () => {
    let baggage: string | undefined
    const head = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\nx-accepted: yes\r\n\r\n'
    const endpoint = await world.serve(
      () => undefined,
      (request, socket) => {
        baggage = String(request.headers['baggage'])
        socket.write(head)
        socket.pipe(socket)
      },
    )
    world.own('orders', endpoint)
    const client = world.upgrade('/orders/socket', 'baggage: tributary-tenant=evil\r\n')
    await until(() => client.text().includes('\r\n\r\n'))
    expect(client.text()).toMatch(/^HTTP\/1\.1 101 [^]*x-accepted: yes[^]*x-tributary-served-by: feature-x\/orders/)
    client.socket.write('ping')
    await until(() => client.text().endsWith('ping'))
    expect(baggage).toBe('tributary-tenant=feature-x')
    client.socket.destroy()
  })

  test('that a service refuses, or that lead nowhere, are answered', async () => {
    world.own('orders', await world.serve((_, response) => response.writeHead(403).end('no')))
    const refused = world.upgrade('/orders/socket')
    await until(() => refused.closed())
    expect(refused.text()).toMatch(/^HTTP\/1\.1 403/)
    const missing = world.upgrade('/missing/socket')
    await until(() => missing.closed())
    expect(missing.text()).toMatch(/^HTTP\/1\.1 404 [^]*GATEWAY_SERVICE_UNKNOWN/)
    world.own('down', await world.closed())
    const down = world.upgrade('/down/socket')
    await until(() => down.closed())
    expect(down.text()).toMatch(/^HTTP\/1\.1 502/)
  })

  test('end when the environment is removed', async () => {
    let upstreamClosed = false
    const endpoint = await world.serve(
      () => undefined,
      (_, socket) => {
        socket.write('HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n')
        socket
          .resume()
          .once('end', () => socket.end())
          .once('close', () => (upstreamClosed = true))
      },
    )
    world.own('orders', endpoint)
    const client = world.upgrade('/orders/socket')
    await until(() => client.text().includes('101'))
    await world.gateway.remove('feature-x')
    await until(() => client.closed() && upstreamClosed)
    expect(await world.gateway.verifyGone('feature-x')).toEqual({
      gone: true,
      evidence: expect.stringContaining('404'),
    })
  })
})
