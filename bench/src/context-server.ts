import { AsyncLocalStorage } from 'node:async_hooks'
import { connect, currentContext } from '@tributary/sdk'
import { tributaryContext } from '@tributary/sdk/fastify'
import { createDispatcher } from '@tributary/sdk/undici'
import Fastify, { type FastifyInstance } from 'fastify'
import { Agent, fetch, request, type Dispatcher } from 'undici'
import { serveParent } from './child.js'

/**
 * | mode | what |
 * | --- | --- |
 * | `plain` | fastify and undici as they are: the context ends here |
 * | `forwarding` | the same, and each handler sends the `baggage` of its request on by hand: the least that keeps a context |
 * | `storage` | the same, each request run in an AsyncLocalStorage: what any propagation of a context costs in this version of Node |
 * | `routed` | middleware and dispatcher of the SDK, calls observed, as `connect()` does it without options |
 */
export type Mode = 'plain' | 'forwarding' | 'storage' | 'routed'

/** By which of undici's functions calls are made. */
export type Way = 'request' | 'fetch'

/** What this process is started with. */
interface Start {
  readonly mode: Mode
  readonly way: Way
  readonly target: string
  readonly center: { readonly url: string; readonly token: string }
}

/** A service that answers every request with what another service answers: the least that a hop does. */
serveParent(async (parameter) => {
  const message = parameter as Start | { readonly cpu: true }
  if ('cpu' in message) {
    const { user, system } = process.cpuUsage()
    return { cpuSeconds: (user + system) / 1e6 }
  }
  const app = Fastify()
  const dispatcher = await prepare(app, message)
  const call = CALLS[message.way]
  app.get('/', async ({ headers: { baggage } }) => {
    const isForwarded = message.mode === 'forwarding' && typeof baggage === 'string'
    const answer = await call(message.target, isForwarded ? { dispatcher, headers: { baggage } } : { dispatcher })
    return { tenant: currentContext().tenant ?? null, answer }
  })
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }) }
})

interface CallOptions {
  readonly dispatcher: Dispatcher
  readonly headers?: Record<string, string>
}

const CALLS: Readonly<Record<Way, (target: string, options: CallOptions) => Promise<string>>> = {
  request: async (target, options) => (await request(target, options)).body.text(),
  fetch: async (target, options) => (await fetch(target, options)).text(),
}

async function prepare(app: FastifyInstance, { mode, center }: Start): Promise<Dispatcher> {
  if (mode === 'routed') {
    const client = await connect({ ...center, tenant: 'integration', service: 'service-1', env: {}, require: 'ready' })
    await app.register(tributaryContext, { client })
    return createDispatcher(client)
  }
  const storage = new AsyncLocalStorage()
  if (mode === 'storage') app.addHook('onRequest', (_request, _reply, next) => storage.run({}, next))
  return new Agent()
}
