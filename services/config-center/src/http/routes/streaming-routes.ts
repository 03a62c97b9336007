import type { FastifyPluginAsync } from 'fastify'
import { convergenceRoute } from './convergence.js'
import { pollRoute } from './poll.js'
import { routeTableRoute } from './route-table.js'
import { streamRoute } from './stream.js'
import type { StreamingDeps } from './streaming-deps.js'
import { subscriptionRoutes } from './subscriptions.js'
import { viewRoute } from './view.js'

/** All routes of views, streams and subscriptions. */
export const streamingRoutes: FastifyPluginAsync<StreamingDeps> = async (app, deps) => {
  for (const routes of [viewRoute, routeTableRoute, streamRoute, pollRoute, subscriptionRoutes, convergenceRoute]) {
    await app.register(routes, deps)
  }
}
