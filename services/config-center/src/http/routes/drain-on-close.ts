import type { StreamHub } from '../../watch/stream-hub.js'
import type { TypedApp } from '../route-deps.js'

/** How long subscribers may take to read their goodbye, milliseconds. */
const GOODBYE_GRACE_MS = 2_000

/** How long the requests that are under way may take after that, milliseconds. */
const REQUEST_GRACE_MS = 2_000

/** When the server closes: says goodbye to all subscribers, and cuts what is still connected some seconds after they have gone. */
export function drainOnClose(app: TypedApp, hub: StreamHub): void {
  app.addHook('preClose', async () => {
    await hub.close(GOODBYE_GRACE_MS)
    // To Node a connection that has never sent a request is not idle: one that a browser opened in advance would hold the server
    // for a minute.
    setTimeout(() => app.server.closeAllConnections(), REQUEST_GRACE_MS).unref()
  })
}
