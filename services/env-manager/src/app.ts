import cookie from '@fastify/cookie'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { drainConnections } from '@tributary/kit'
import Fastify, { type FastifyServerOptions } from 'fastify'
import { failure } from './errors.js'
import { CallerRegistry } from './http/caller.js'
import { installErrorAnswers } from './http/error-answers.js'
import { installAudit } from './http/plugins/audit.js'
import { installAuthentication } from './http/plugins/authenticate.js'
import { installStreamEnds } from './http/plugins/end-streams.js'
import { installOpenApi } from './http/plugins/openapi.js'
import { installSecurityHeaders } from './http/plugins/security-headers.js'
import type { RouteDeps, SignInDeps, TypedApp } from './http/route-deps.js'
import { auditRoute } from './http/routes/audit.js'
import { configRoutes } from './http/routes/config.js'
import { consoleRoutes } from './http/routes/console.js'
import { environmentRoutes } from './http/routes/environments.js'
import { imageRoutes } from './http/routes/images.js'
import { releaseFinalizersRoute } from './http/routes/release-finalizers.js'
import { eventsRoute } from './http/routes/events.js'
import { logRoutes } from './http/routes/logs.js'
import { managerRoutes } from './http/routes/manager.js'
import { metricsRoute } from './http/routes/metrics.js'
import { oidcRoutes } from './http/routes/oidc.js'
import { requestReportsRoute } from './http/routes/request-reports.js'
import { runRoutes } from './http/routes/runs.js'
import { sessionRoutes } from './http/routes/session.js'
import { topologyRoutes } from './http/routes/topology.js'
import { pendingSignInCookie, sessionCookie } from './http/session-cookie.js'
import { validatorCompiler } from './http/validate.js'
import { ManagerMetrics } from './metrics/manager-metrics.js'
import type { CallerAuthentication } from './ports/caller-authentication.js'
import { GatewayReports } from './operations/gateway-reports.js'
import { RoleRechecks } from './operations/sessions/role-rechecks.js'
import { readTopology } from './operations/topology/read-topology.js'
import type { ConfigPassThrough } from './ports/config-pass-through.js'
import type { IdentityProvider } from './ports/identity-provider.js'
import { EventHub } from './watch/event-hub.js'
import { TopologyFeeds } from './watch/topology-feeds.js'

/** Shown in the API description. */
export const ENV_MANAGER_VERSION = '0.1.0'
const MAX_BODY_BYTES = 64 * 1024
/** How long requests that are under way may take when the server closes, milliseconds. */
const REQUEST_GRACE_MS = 2_000

/** What the app is made of. */
export interface AppDeps extends Omit<RouteDeps, 'closing'> {
  readonly callers: CallerAuthentication
  /** Default: its own, of what can be looked at; runs and errors are counted by who observes the loop. */
  readonly metrics?: ManagerMetrics
  /** Tells what changes. Default: one that nobody tells anything. */
  readonly events?: EventHub
  /** Passes requests on to the config center. */
  readonly configPassThrough: ConfigPassThrough
  /** Vouches for people, when the configuration names one. Default: people sign in with tokens. */
  readonly identityProvider?: IdentityProvider
  /** Where the console's files are. Default: nothing is served. */
  readonly consoleDirectory?: string
  /** What gateways in processes of their own tell. Default: nobody reports. */
  readonly reports?: GatewayReports
  /** How often it is looked whether who reads a stream still may, milliseconds. Default 30,000. */
  readonly recheckMs?: number
  /** Default: no log. */
  readonly logger?: FastifyServerOptions['logger']
}

/** Builds the HTTP server without listening. Closing it ends its streams; it does not close what it was given. */
export async function buildApp({ logger = false, ...given }: AppDeps): Promise<TypedApp> {
  const app = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: 'idle',
    logger,
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  // Answers are typed and tested against their schemas; writing them again field by field would only cost time.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value))
  const closing = new AbortController()
  const drain = drainConnections(app.server)
  app.addHook('preClose', async () => {
    closing.abort(failure('NOT_READY', 'The env-manager is shutting down; try again'))
    drain()
    setTimeout(() => app.server.closeAllConnections(), REQUEST_GRACE_MS).unref()
  })
  installErrorAnswers(app)
  const signIn = await installSignIn(app, given)
  await installOpenApi(app, ENV_MANAGER_VERSION)
  await addRoutes(app, { ...given, signIn, closing: closing.signal })
  return app
}

/** Security headers, cookies, authentication and the audit log. */
async function installSignIn(app: TypedApp, given: AppDeps): Promise<SignInDeps> {
  const { deps, callers, recheckMs } = given
  const { store, clock, config } = deps
  await installSecurityHeaders(app, config.signIn)
  await app.register(cookie)
  const sessions = { store, clock, limits: config.signIn, rechecks: rechecksOf(given) }
  const signIn = {
    config: config.signIn,
    sessions,
    registry: new CallerRegistry(callers, sessions),
    cookie: sessionCookie(config.signIn),
    pendingCookie: pendingSignInCookie(config.signIn),
  }
  installAuthentication(app, { store, registry: signIn.registry, cookieName: signIn.cookie.name })
  installStreamEnds(app, { registry: signIn.registry, cookieName: signIn.cookie.name, everyMs: recheckMs })
  installAudit(app, { store, clock })
  return signIn
}

function rechecksOf({ deps: { store, clock, config }, identityProvider: provider }: AppDeps): RoleRechecks | undefined {
  const { oidc } = config.signIn
  if (provider === undefined || oidc === null) return undefined
  return new RoleRechecks({ store, clock, provider, roles: oidc.roles, roleMinutes: oidc.roleMinutes })
}

async function addRoutes(
  app: TypedApp,
  given: AppDeps & { readonly signIn: SignInDeps; readonly closing: AbortSignal },
): Promise<void> {
  const { events = new EventHub() } = given
  for (const routes of [environmentRoutes, imageRoutes, releaseFinalizersRoute, logRoutes, runRoutes, managerRoutes])
    routes(app, given)
  auditRoute(app, given)
  topologyRoutes(app, { ...given, topologies: topologyFeeds(given.deps, events) })
  eventsRoute(app, { ...given, events })
  requestReportsRoute(app, given.reports ?? new GatewayReports(given.deps))
  sessionRoutes(app, given)
  const { oidc } = given.deps.config.signIn
  if (given.identityProvider !== undefined && oidc !== null) {
    const { roles, roleMinutes } = oidc
    oidcRoutes(app, {
      ...given,
      oidc: { ...given.signIn.sessions, provider: given.identityProvider, roles, roleMinutes },
    })
  }
  const { configPassThrough: config, deps, closing } = given
  await configRoutes(app, { config, store: deps.store, closing })
  metricsRoute(app, given, given.metrics ?? new ManagerMetrics())
  if (given.consoleDirectory !== undefined) await consoleRoutes(app, given.consoleDirectory)
}

function topologyFeeds(deps: AppDeps['deps'], hub: EventHub): TopologyFeeds {
  return new TopologyFeeds({ hub, clock: deps.clock, read: (environment) => readTopology(deps, environment) })
}
