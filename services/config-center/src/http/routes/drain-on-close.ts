import { drainConnections } from '@tributary/kit'
import type { StreamHub } from '../../watch/stream-hub.js'
import type { TypedApp } from '../route-deps.js'

/** How long subscribers may take to read their goodbye, milliseconds. */
const GOODBYE_GRACE_MS = 2_000

/** How long the requests that are under way may take after that, milliseconds. */
const REQUEST_GRACE_MS = 2_000

/** When the server closes: says goodbye to all subscribers, ends connections that carry no request, and cuts those that still do some seconds later. */
export function drainOnClose(app: TypedApp, hub: StreamHub): void {
  const drain = drainConnections(app.server)
  app.addHook('preClose', async () => {
    await hub.close(GOODBYE_GRACE_MS)
    drain()
    setTimeout(() => app.server.closeAllConnections(), REQUEST_GRACE_MS).unref()
  })
}
