import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'

/** Describes every route that is added after it, and serves the description at `/openapi.json`. */
export async function installOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tributary config center',
        version,
        description: 'Tenants, service entries and config documents; overlay, history and streams.',
      },
      components: {
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'trb_<id>_<secret>' } },
      },
      security: [{ bearer: [] }],
    },
  })
  app.get('/openapi.json', { config: { access: 'open' }, schema: { hide: true } }, async () => app.swagger())
}
