import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyServerOptions } from 'fastify'
import { failure } from './errors.js'
import { installErrorAnswers } from './http/error-answers.js'
import { installAuthentication } from './http/plugins/authenticate.js'
import { installOpenApi } from './http/plugins/openapi.js'
import type { RouteDeps, TypedApp } from './http/route-deps.js'
import { environmentRoutes } from './http/routes/environments.js'
import { logRoutes } from './http/routes/logs.js'
import { managerRoutes } from './http/routes/manager.js'
import { metricsRoute } from './http/routes/metrics.js'
import { runRoutes } from './http/routes/runs.js'
import { topologyRoutes } from './http/routes/topology.js'
import { validatorCompiler } from './http/validate.js'
import { ManagerMetrics } from './metrics/manager-metrics.js'
import type { CallerAuthentication } from './ports/caller-authentication.js'

/** Shown in the API description. */
export const ENV_MANAGER_VERSION = '0.1.0'
const MAX_BODY_BYTES = 64 * 1024

/** What the app is made of. */
export interface AppDeps extends Omit<RouteDeps, 'closing'> {
  readonly callers: CallerAuthentication
  /** Default: its own, of what can be looked at; runs and errors are counted by who observes the loop. */
  readonly metrics?: ManagerMetrics
  /** Default: no log. */
  readonly logger?: FastifyServerOptions['logger']
}

/** Builds the HTTP server without listening. Closing it ends its streams; it does not close what it was given. */
export async function buildApp({ callers, logger = false, metrics, ...deps }: AppDeps): Promise<TypedApp> {
  const app = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: 'idle',
    logger,
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  // Answers are typed and tested against their schemas; writing them again field by field would only cost time.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value))
  const closing = new AbortController()
  app.addHook('preClose', async () =>
    closing.abort(failure('NOT_READY', 'The env-manager is shutting down; try again')),
  )
  installErrorAnswers(app)
  installAuthentication(app, { callers, clock: deps.deps.clock })
  await installOpenApi(app, ENV_MANAGER_VERSION)
  const given = { ...deps, closing: closing.signal }
  for (const routes of [environmentRoutes, topologyRoutes, logRoutes, runRoutes, managerRoutes]) routes(app, given)
  metricsRoute(app, given, metrics ?? new ManagerMetrics())
  return app
}
