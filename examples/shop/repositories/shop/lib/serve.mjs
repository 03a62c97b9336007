import { createServer } from 'node:http'
import { connect, createHealthHandler, withRoutingContext } from '@tributary/sdk'
import { install } from '@tributary/sdk/undici'

const CALL_TIMEOUT_MS = 3_000

/**
 * Runs one service of the shop: connects to Tributary, serves the routes as JSON, answers /healthz, /readyz and /selfcheck,
 * and ends politely. `routes(service)` returns functions by path.
 */
export async function serve(routes) {
  const tributary = await connect()
  const uninstall = install(tributary)
  const table = routes({ config: tributary.config, me: whoAmI(), call })
  const answerHealth = createHealthHandler(tributary)

  let isEnding = false
  const answer = withRoutingContext(tributary, async (request, response) => {
    if (answerHealth(request, response)) return
    const url = new URL(request.url, 'http://localhost')
    const { status, body } = await run(table[url.pathname], url)
    // Once the process is to end, the answer that is under way on a kept connection is its last.
    if (isEnding) response.setHeader('connection', 'close')
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(`${JSON.stringify(body, null, 2)}\n`)
  })
  const server = createServer(answer)
  server.listen(Number(process.env.PORT), process.env.HOST)

  process.once('SIGTERM', () => {
    isEnding = true
    server.close(() => void uninstall().then(() => tributary.close()))
    server.closeIdleConnections()
  })
}

/** Every answer says who gave it: that is what the example is about. */
function whoAmI() {
  const { TRIBUTARY_SERVICE: service, TRIBUTARY_TENANT: tenant, TRIBUTARY_VERSION: version } = process.env
  return { service, tenant, version }
}

/** Calls the copy of a service that the current request's tenant sees. A failure becomes part of the answer, never a crash. */
async function call(service, path) {
  try {
    const response = await fetch(`http://${service}${path}`, { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) })
    return await response.json()
  } catch (error) {
    return { service, error: error.cause?.message ?? error.message }
  }
}

async function run(route, { pathname, searchParams }) {
  if (route === undefined) return { status: 404, body: { ...whoAmI(), error: `no such page: ${pathname}` } }
  try {
    return { status: 200, body: await route(searchParams) }
  } catch (error) {
    return { status: 500, body: { ...whoAmI(), error: error.message } }
  }
}
