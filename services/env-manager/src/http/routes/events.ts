import { Type } from 'typebox'
import type { EventHub } from '../../watch/event-hub.js'
import type { RouteDeps, TypedApp } from '../route-deps.js'

const HEARTBEAT_MS = 15_000
/** The connection ends with the stream: a server that closes does not wait for it to be used again. */
const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
  connection: 'close',
}

/** `GET /v1/events`: what a page that shows several things reads again. */
export function eventsRoute(
  app: TypedApp,
  { events, closing }: Pick<RouteDeps, 'closing'> & { readonly events: EventHub },
): void {
  app.get(
    '/v1/events',
    {
      config: { callers: 'read' },
      exposeHeadRoute: false,
      schema: {
        summary:
          'Which things change (Server-Sent Events: `environment`, `run`, `config`, `platform`, and `reset`: read everything again)',
        description: 'Each carries a ChangeEvent: names and revisions only. Resumed by Last-Event-ID.',
        headers: Type.Object({ 'last-event-id': Type.Optional(Type.String({ maxLength: 64 })) }),
        produces: ['text/event-stream'],
      },
    },
    async (request, reply) => {
      closing.throwIfAborted()
      reply.hijack()
      const { raw } = reply
      raw.writeHead(200, HEADERS)
      raw.flushHeaders()
      const output = {
        get canTakeMore() {
          return !raw.writableNeedDrain && !raw.destroyed
        },
        write: (text: string) => void raw.write(text),
      }
      const subscription = events.subscribe(output, request.headers['last-event-id'])
      const heartbeat = setInterval(() => raw.write(': heartbeat\n\n'), HEARTBEAT_MS)
      const end = (): void => void raw.end()
      closing.addEventListener('abort', end, { once: true })
      raw.on('drain', () => subscription.flush())
      raw.once('error', () => raw.destroy())
      raw.once('close', () => {
        clearInterval(heartbeat)
        subscription.leave()
        closing.removeEventListener('abort', end)
      })
    },
  )
}
