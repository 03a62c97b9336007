import type { FastifyPluginCallback } from 'fastify'
import { enterRequest } from './context/enter-request.js'
import { healthEndpoints, type HealthOptions } from './health/health-answers.js'
import type { Tributary } from './tributary.js'

/** Options of {@link tributaryHealth}. */
export interface TributaryHealthOptions extends HealthOptions {
  readonly client: Tributary
}

/**
 * Fastify plugin with `/healthz`, `/readyz` and `/selfcheck`: `app.register(tributaryHealth, { client })`. It does not close the
 * client.
 */
export const tributaryHealth: FastifyPluginCallback<TributaryHealthOptions> = (app, options, done) => {
  for (const [path, endpoint] of healthEndpoints(options.client, options)) {
    app.get(path, { logLevel: 'warn' }, async (_request, reply) => {
      const { status, body } = await endpoint()
      return reply.code(status).header('cache-control', 'no-store').send(body)
    })
  }
  done()
}

/** Options of {@link tributaryContext}. */
export interface TributaryContextOptions {
  readonly client: Tributary
}

/**
 * Fastify plugin that runs every request of the app, other plugins' routes included, in its routing context:
 * `app.register(tributaryContext, { client })`, before what uses the context. It does not close the client.
 */
export const tributaryContext: FastifyPluginCallback<TributaryContextOptions> = (app, { client }, done) => {
  const { routing } = client
  app.addHook('onRequest', ({ raw: request }, reply, next) => {
    const { raw: response } = reply
    enterRequest(routing, { request, response }, () => {
      if (client.answerProbe(request, response)) reply.hijack()
      else next()
    })
  })
  done()
}

// As fastify-plugin does it: without this the hook would hold only for routes that the plugin itself registers.
Object.assign(tributaryContext, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'tributary-context',
})
