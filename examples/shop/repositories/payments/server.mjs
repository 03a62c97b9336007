import { createServer } from 'node:http'
import { connect, createHealthHandler } from '@tributary/sdk'

const { TRIBUTARY_SERVICE: service, TRIBUTARY_TENANT: tenant, TRIBUTARY_VERSION: version, PORT, HOST } = process.env
const tributary = await connect()
const answerHealth = createHealthHandler(tributary)

const server = createServer(async (request, response) => {
  if (answerHealth(request, response)) return
  const url = new URL(request.url, 'http://localhost')
  if (url.pathname === '/quote') return send(response, 200, await quote(Number(url.searchParams.get('amount'))))
  send(response, 404, { service, tenant, version, error: `no such page: ${url.pathname}` })
})
server.listen(Number(PORT), HOST)

process.once('SIGTERM', () => {
  server.close(() => tributary.close())
  server.closeIdleConnections()
})

async function quote(amount) {
  const feePercent = tributary.config.get('feePercent')
  const total = Math.round(amount * (100 + feePercent)) / 100
  return { service, tenant, version, feePercent, total, callback: await callBack() }
}

/** Tells `orders` that the quote was made; the answer says which copy of it was reached. */
async function callBack() {
  try {
    const response = await fetch(tributary.urlFor('orders', '/callback'), { signal: AbortSignal.timeout(3_000) })
    return await response.json()
  } catch (error) {
    return { service: 'orders', error: error.message }
  }
}

function send(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(`${JSON.stringify(body, null, 2)}\n`)
}
