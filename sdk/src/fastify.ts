import type { FastifyPluginCallback } from 'fastify'
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
