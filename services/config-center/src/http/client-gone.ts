import type { FastifyReply } from 'fastify'
import { failure } from '../errors.js'

/**
 * Aborts with `CLIENT_GONE` when the connection closes before the answer is written. Unlike `request.signal`, which also aborts as soon
 * as a request's body has been read.
 */
export function clientGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  const abort = (): void => gone.abort(failure('CLIENT_GONE', 'The client closed the connection before the answer.'))
  if (reply.raw.destroyed) abort()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) abort()
  })
  return gone.signal
}
