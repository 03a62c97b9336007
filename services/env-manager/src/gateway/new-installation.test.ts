import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { eventually } from '@tributary/testkit'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { readGatewayConfig } from './config.js'
import { startGateway, type RunningGateway } from './start-gateway.js'

/** Knows no tenant yet. */
let center: Server
let gateway: RunningGateway | undefined
let streamsAsked: number

beforeEach(async () => {
  streamsAsked = 0
  center = createServer((request, response) => {
    if (request.url?.includes('/stream') === true) streamsAsked += 1
    const error = { code: 'TENANT_NOT_FOUND', message: 'there is no tenant integration', retryable: false }
    response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
  })
  center.listen(0, '127.0.0.1')
  await once(center, 'listening')
  // Every wait is the longest that it may be.
  vi.spyOn(Math, 'random').mockReturnValue(0.999_999)
})
afterEach(async () => {
  vi.restoreAllMocks()
  await gateway?.stop()
  gateway = undefined
  center.closeAllConnections()
  center.close()
})

test('a gateway that waits for its first environment goes on asking every two seconds', async () => {
  const address = center.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const config = readGatewayConfig({
    TRIBUTARY_URL: `http://127.0.0.1:${port}`,
    TRIBUTARY_TOKEN: 'viewer',
    TRIBUTARY_PREVIEW_URL: 'http://{environment}.preview.test',
    TRIBUTARY_PORT: '0',
    TRIBUTARY_HEALTH_PORT: '0',
    TRIBUTARY_DRAIN_DELAY_SECONDS: '0',
  })
  gateway = await startGateway(config, { onError: () => undefined })
  // At 0, 1, 3, 5 and 7 s. Waits that doubled on would make it 31 s.
  await eventually(() => expect(streamsAsked).toBeGreaterThanOrEqual(5), { timeoutMs: 18_000, intervalMs: 100 })
})
