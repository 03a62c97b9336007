import { AsyncLocalStorage } from 'node:async_hooks'
import { connect, currentContext } from '@tributary/sdk'
import { tributaryContext } from '@tributary/sdk/fastify'
import { createDispatcher } from '@tributary/sdk/undici'
import Fastify, { type FastifyInstance } from 'fastify'
import { Agent, request, type Dispatcher } from 'undici'
import { serveParent } from './child.js'

/** `plain`: fastify and undici. `storage`: with an AsyncLocalStorage that each request is run in. `routed`: with the SDK. */
export type Mode = 'plain' | 'storage' | 'routed'

/** What this process is started with. */
interface Start {
  readonly mode: Mode
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
  app.get('/', async () => {
    const { body } = await request(message.target, { dispatcher })
    return { tenant: currentContext().tenant ?? null, answer: await body.text() }
  })
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }) }
})

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
