import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { GatewayServer } from './gateway-server.js'
import { localSite } from './gateway-site.js'

/** Far longer than this test may take. */
const GRACE_MS = 600_000

test('a gateway that drains ends as soon as no request is under way, also where a client has opened a connection and asks nothing', async () => {
  const gateway: GatewayServer = new GatewayServer({
    host: '127.0.0.1',
    port: 0,
    site: localSite(() => gateway.port),
    environments: { has: () => true },
    resolve: () => undefined,
    listServices: () => [],
  })
  await gateway.start()
  const silent = connect(gateway.port, '127.0.0.1')
  await once(silent, 'connect')
  // Answered after the silent connection was accepted, so the server knows of it.
  expect((await fetch(`http://127.0.0.1:${gateway.port}/`)).status).toBe(200)
  await Promise.all([gateway.drain(GRACE_MS), once(silent, 'close')])
  expect(silent.bytesRead).toBe(0)
})
