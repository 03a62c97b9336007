import { createServer } from 'node:http'
import { connect, createHealthHandler, withRoutingContext } from '@tributary/sdk'
import { install } from '@tributary/sdk/undici'

const { TRIBUTARY_SERVICE: service, TRIBUTARY_TENANT: tenant, TRIBUTARY_VERSION: version, PORT, HOST } = process.env
const tributary = await connect()
const uninstall = install(tributary)
const answerHealth = createHealthHandler(tributary)

const answer = withRoutingContext(tributary, async (request, response) => {
  if (answerHealth(request, response)) return
  const url = new URL(request.url, 'http://localhost')
  if (url.pathname === '/quote') return send(response, 200, await quote(Number(url.searchParams.get('amount'))))
  send(response, 404, { service, tenant, version, error: `no such page: ${url.pathname}` })
})
const server = createServer(answer)
server.listen(Number(PORT), HOST)

process.once('SIGTERM', () => {
  server.close(() => void uninstall().then(() => tributary.close()))
  server.closeIdleConnections()
})

async function quote(amount) {
  const feePercent = tributary.config.get('feePercent')
  const total = Math.round(amount * (100 + feePercent)) / 100
  return { service, tenant, version, feePercent, total, callback: await callBack() }
}

/**
 * Tells `orders` that the quote was made; the answer says which copy of it was reached. Which one `http://orders` is depends on the
 * request that is being answered, not on this process.
 */
async function callBack() {
  try {
    const response = await fetch('http://orders/callback', { signal: AbortSignal.timeout(3_000) })
    return await response.json()
  } catch (error) {
    return { service: 'orders', error: error.cause?.message ?? error.message }
  }
}

function send(response, status, body) {
  // Once the process is to end, the answer that is under way on a kept connection is its last.
  const last = server.listening ? {} : { connection: 'close' }
  response.writeHead(status, { 'content-type': 'application/json', ...last })
  response.end(`${JSON.stringify(body, null, 2)}\n`)
}
