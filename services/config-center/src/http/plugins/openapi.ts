import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'

const BEARER = { type: 'http', scheme: 'bearer', bearerFormat: 'trb_<id>_<secret>' } as const

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
      components: { securitySchemes: { bearer: BEARER } },
      security: [{ bearer: [] }],
    },
    refResolver: {
      buildLocalReference: ({ $id }, ...[, , index]) => (typeof $id === 'string' ? $id : `def-${index}`),
    },
    transform: ({ schema, url, route }) => {
      const access = route.config?.access
      // Only the routes that say so are open; the others take the bearer token that is declared for all.
      const security = access === 'open' ? { security: [] } : {}
      return { schema: { ...schema, ...security, 'x-access': access }, url }
    },
  })
  app.get('/openapi.json', { config: { access: 'open' }, schema: { hide: true } }, async () => app.swagger())
}
