import type { TypedApp } from '../route-deps.js'
import { changesRoute } from './changes.js'
import { convergenceRoute } from './convergence.js'
import { pollRoute } from './poll.js'
import { routeTableRoute } from './route-table.js'
import { streamRoute } from './stream.js'
import type { StreamingDeps } from './streaming-deps.js'
import { subscriptionRoutes } from './subscriptions.js'
import { viewRoute } from './view.js'

/** All routes of views, streams and subscriptions. Closing the app says goodbye to all subscribers first. */
export function streamingRoutes(app: TypedApp, deps: StreamingDeps): void {
  const reading = [viewRoute, routeTableRoute, pollRoute, subscriptionRoutes, convergenceRoute]
  for (const route of [...reading, streamRoute, changesRoute]) route(app, deps)
}
