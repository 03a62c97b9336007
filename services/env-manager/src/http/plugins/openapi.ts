import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'

const BEARER = { type: 'http', scheme: 'bearer', bearerFormat: 'trb_<id>_<secret>' } as const

/** Describes every route that is added after it, and serves the description at `/openapi.json`. */
export async function installOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tributary env-manager',
        version,
        description: 'Environments of branches: lifecycle, runs with logs, topology, ledger and receipts.',
      },
      components: { securitySchemes: { bearer: BEARER } },
      security: [{ bearer: [] }],
    },
    refResolver: {
      buildLocalReference: ({ $id }, ...[, , index]) => (typeof $id === 'string' ? $id : `def-${index}`),
    },
    transform: ({ schema, url, route }) => ({
      // Only the routes that say so are open; the others take the bearer token that is declared for all.
      schema: route.config?.callers === 'open' ? { ...schema, security: [] } : schema,
      url,
    }),
  })
  app.get('/openapi.json', { config: { callers: 'open' }, schema: { hide: true } }, async () => app.swagger())
}
