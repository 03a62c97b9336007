import { AppError, errorAnswer } from '@tributary/kit'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { failure } from '../errors.js'

/** Answers every failure with an `ErrorBody`, and logs those of the server once. Call it before routes are added. */
export function installErrorAnswers(app: FastifyInstance): void {
  app.setErrorHandler((error: unknown, request, reply) => answer(toAppError(error), request, reply))
  app.setNotFoundHandler((request, reply) => {
    const error = failure('ROUTE_NOT_FOUND', `${request.method} ${pathOf(request)} does not exist; see /openapi.json.`)
    return answer(error, request, reply)
  })
}

function answer(error: AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, headers, body } = errorAnswer(error, request.id)
  if (status >= 500) request.log.error({ err: error }, 'request failed')
  return reply.status(status).headers(headers).send(body)
}

function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  if (error instanceof Error && error.name === 'TimeoutError') {
    return failure('READ_TIMEOUT', 'The store does not answer in time; nothing was written; try again.', {
      cause: error,
    })
  }
  return (
    (isFastifyError(error) ? ofFastify(error) : undefined) ?? failure('INTERNAL', 'Unexpected error', { cause: error })
  )
}

/** What fastify refuses before a handler runs: https://fastify.dev/docs/latest/Reference/Errors */
function ofFastify(error: FastifyError): AppError | undefined {
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return failure('BODY_TOO_LARGE', 'The request body is larger than 1 MiB; send less at once.')
  }
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return failure('UNSUPPORTED_MEDIA_TYPE', 'The request body is not JSON; send content-type application/json.')
  }
  if (error.code === 'FST_ERR_CTP_INVALID_JSON_BODY') {
    const refused = 'a member "__proto__", or "constructor" with "prototype" in it, is refused'
    return failure('INVALID_REQUEST', `The request was refused, nothing is stored: its body is not JSON; ${refused}.`, {
      details: { in: 'body', reason: error.code },
    })
  }
  if (error.statusCode === undefined || error.statusCode < 400 || error.statusCode >= 500) return undefined
  return failure('INVALID_REQUEST', `The request was refused, nothing is stored: ${error.message}`, {
    details: { in: 'body', reason: error.code },
  })
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}

// Without the query: it may hold what does not belong into an answer or a log.
function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? ''
}
