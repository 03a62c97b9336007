import type { ServerResponse } from 'node:http'
import { Type } from 'typebox'
import { ChangeFeed } from '../../watch/change-feed.js'
import type { TypedApp } from '../route-deps.js'
import { answers } from '../route-schemas.js'
import type { StreamingDeps } from './streaming-deps.js'

const HEARTBEAT_MS = 15_000
/** The connection ends with the stream: a server that closes does not wait for it to be used again. */
const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
  connection: 'close',
}

const schema = {
  summary: 'Which tenants change, as Server-Sent Events (`changes`): names and revisions only',
  response: answers({ 200: { content: { 'text/event-stream': { schema: Type.String() } } } }),
}

/** `GET /v1/changes`: for whoever shows several tenants and wants to know what to read again. */
export function changesRoute(app: TypedApp, { live }: Pick<StreamingDeps, 'live'>): void {
  const open = new Set<ServerResponse>()
  app.addHook('preClose', async () => {
    for (const response of open) response.end()
  })
  app.get('/v1/changes', { schema, config: { access: 'read' }, exposeHeadRoute: false }, async (_request, reply) => {
    reply.hijack()
    const { raw } = reply
    raw.writeHead(200, HEADERS)
    raw.flushHeaders()
    open.add(raw)
    const feed = new ChangeFeed(outputTo(raw), live.catalog.storeRevision)
    const stop = live.onChanges((changes, revision) => feed.add(changes, revision))
    const heartbeat = setInterval(() => raw.write(': heartbeat\n\n'), HEARTBEAT_MS)
    raw.on('drain', () => feed.flush())
    raw.once('error', () => raw.destroy())
    raw.once('close', () => {
      clearInterval(heartbeat)
      stop()
      open.delete(raw)
    })
  })
}

function outputTo(raw: ServerResponse) {
  return {
    get canTakeMore() {
      return !raw.writableNeedDrain
    },
    write: (text: string) => void raw.write(text),
  }
}
