import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyBaseLogger, type FastifyServerOptions } from 'fastify'
import { installErrorAnswers } from './http/error-answers.js'
import { installAuthentication } from './http/plugins/authenticate.js'
import { installOpenApi } from './http/plugins/openapi.js'
import type { RouteDeps, TypedApp } from './http/route-deps.js'
import type { RefusalBook } from './audit/refusal-book.js'
import { installRefusalNotes } from './http/plugins/note-refusals.js'
import { auditRoute } from './http/routes/audit.js'
import { documentRoutes } from './http/routes/documents.js'
import { entryRoutes } from './http/routes/entries.js'
import { explainRoutes } from './http/routes/explain.js'
import { grayReleaseRoutes } from './http/routes/gray-releases.js'
import { healthRoutes } from './http/routes/health.js'
import { historyRoutes } from './http/routes/history.js'
import { instanceRoutes } from './http/routes/instances.js'
import { schemaRoutes } from './http/routes/schemas.js'
import { tenantRoutes } from './http/routes/tenants.js'
import { tokenRoutes } from './http/routes/tokens.js'
import { transactionRoutes } from './http/routes/transactions.js'
import { validatorCompiler } from './http/validate.js'
import { parseYamlBody } from './http/yaml-body.js'

/** Largest request body: a transaction of several documents. The store takes 1.5 MiB with the history record. */
export const MAX_BODY_BYTES = 1024 * 1024

/** What the app is made of. */
export interface AppDeps extends RouteDeps {
  readonly version: string
  /** Default: no log. */
  readonly logger?: FastifyServerOptions['logger'] | undefined
  readonly loggerInstance?: FastifyBaseLogger | undefined
  /** Where refused requests are noted. Default: nowhere. */
  readonly refusals?: RefusalBook
  /** Routes of other folders, e.g. the streams: they share authentication, errors and the API description. */
  readonly moreRoutes?: (app: TypedApp) => void
}

/** Builds the HTTP server without listening. The caller closes it; it does not close what it was given. */
export async function buildApp(deps: AppDeps): Promise<TypedApp> {
  const app = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    // HEAD would open a stream and never end it; the routes that probes ask for have it.
    exposeHeadRoutes: false,
    // Streams are ended with a goodbye before the server closes; idle keep-alive connections must not hold it open.
    forceCloseConnections: 'idle',
    logger: deps.logger ?? false,
    ...(deps.loggerInstance === undefined ? {} : { loggerInstance: deps.loggerInstance }),
    routerOptions: { ignoreTrailingSlash: false },
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  // Answers are typed and tested against their schemas; writing them again field by field would only cost time.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value))
  acceptMergePatch(app)
  acceptYaml(app)
  installErrorAnswers(app)
  installAuthentication(app, { ...deps.context })
  if (deps.refusals !== undefined) installRefusalNotes(app, deps.refusals, () => deps.context.clock.now())
  await installOpenApi(app, deps.version)
  addRoutes(app, deps)
  return app
}

function addRoutes(app: TypedApp, deps: AppDeps): void {
  const own = [healthRoutes, tenantRoutes, entryRoutes, instanceRoutes, documentRoutes, transactionRoutes]
  const add = [...own, schemaRoutes, grayReleaseRoutes, historyRoutes, explainRoutes, tokenRoutes, auditRoute]
  for (const routes of add) routes(app, deps)
  deps.moreRoutes?.(app)
}

function acceptMergePatch(app: TypedApp): void {
  // Members named __proto__ are refused here, so that no client of a document has to beware of them.
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/merge-patch+json', { parseAs: 'string' }, parse)
}

function acceptYaml(app: TypedApp): void {
  const types = ['application/yaml', 'application/x-yaml', 'text/yaml']
  app.addContentTypeParser(types, { parseAs: 'string' }, async (_request: unknown, body: string) => parseYamlBody(body))
}
