import { createServer } from 'node:http'
import { connect, createHealthHandler } from '@tributary/sdk'

const CALL_TIMEOUT_MS = 3_000

/**
 * Runs one service of the shop: connects to Tributary, serves the routes as JSON, answers /healthz, /readyz and /selfcheck,
 * and ends politely. `routes(service)` returns functions by path.
 */
export async function serve(routes) {
  const tributary = await connect()
  const table = routes({ config: tributary.config, me: whoAmI(), call: (name, path) => call(tributary, name, path) })
  const answerHealth = createHealthHandler(tributary)

  const server = createServer(async (request, response) => {
    if (answerHealth(request, response)) return
    const url = new URL(request.url, 'http://localhost')
    const route = table[url.pathname]
    try {
      if (route === undefined) send(response, 404, { ...whoAmI(), error: `no such page: ${url.pathname}` })
      else send(response, 200, await route(url.searchParams))
    } catch (error) {
      send(response, 500, { ...whoAmI(), error: error.message })
    }
  })
  server.listen(Number(process.env.PORT), process.env.HOST)

  process.once('SIGTERM', () => {
    server.close(() => tributary.close())
    server.closeIdleConnections()
  })
}

/** Every answer says who gave it: that is what the example is about. */
function whoAmI() {
  const { TRIBUTARY_SERVICE: service, TRIBUTARY_TENANT: tenant, TRIBUTARY_VERSION: version } = process.env
  return { service, tenant, version }
}

/** Calls another service at the address that Tributary has for it now. A failure becomes part of the answer, never a crash. */
async function call(tributary, service, path) {
  try {
    const response = await fetch(tributary.urlFor(service, path), { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) })
    return await response.json()
  } catch (error) {
    return { service, error: error.message }
  }
}

function send(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(`${JSON.stringify(body, null, 2)}\n`)
}
