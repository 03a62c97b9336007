import type { FastifyReply, FastifyRequest } from 'fastify'
import { messageOf } from '../operations/dependencies.js'

const HEARTBEAT_MS = 15_000

/** Writes one event; resolves when the client can take more. */
export type SendEvent = (event: string, data: unknown) => Promise<void>

/**
 * Answers with Server-Sent Events until `produce` resolves or the client goes, which aborts the signal. A comment every 15 s
 * keeps proxies from cutting an idle stream. A failure after the start is logged and told as event `error`.
 */
export async function streamEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  produce: (send: SendEvent, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  reply.hijack()
  const { raw } = reply
  const gone = new AbortController()
  raw.once('close', () => gone.abort())
  raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
  raw.flushHeaders()
  const write = async (text: string): Promise<void> => {
    if (gone.signal.aborted || raw.write(text)) return
    await new Promise<void>((resolve) => {
      raw.once('drain', resolve)
      gone.signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }
  const heartbeat = setInterval(() => void write(': heartbeat\n\n'), HEARTBEAT_MS)
  try {
    await produce((event, data) => write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`), gone.signal)
  } catch (error) {
    if (!gone.signal.aborted) {
      request.log.error({ err: error }, 'a stream failed')
      await write(`event: error\ndata: ${JSON.stringify({ message: messageOf(error) })}\n\n`)
    }
  } finally {
    clearInterval(heartbeat)
    raw.end()
  }
}
