import swagger from '@fastify/swagger'
import type { FastifyInstance, FastifySchema } from 'fastify'
import { SHARED_SCHEMAS, withReferences } from './shared-schemas.js'

const BEARER = { type: 'http', scheme: 'bearer', bearerFormat: 'trb_<id>_<secret>' } as const

/** Describes every route that is added after it, and serves the description at `/openapi.json`. */
export async function installOpenApi(app: FastifyInstance, version: string): Promise<void> {
  for (const schema of SHARED_SCHEMAS) app.addSchema(schema)
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
      return { schema: { ...referenced(schema), ...security, 'x-access': access }, url }
    },
  })
  app.get('/openapi.json', { config: { access: 'open' }, schema: { hide: true } }, async () => app.swagger())
}

/** Bodies and answers refer to the contract's schemas by name, so that generated clients have types with names. */
function referenced(schema: FastifySchema): FastifySchema {
  const { body, response } = schema
  return {
    ...schema,
    ...(body === undefined ? {} : { body: withReferences(body) }),
    ...(response === undefined ? {} : { response: withReferences(response) }),
  }
}
