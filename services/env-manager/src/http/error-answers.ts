import { AppError, errorAnswer } from '@tributary/kit'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { failure } from '../errors.js'

/** Answers every failure with an `ErrorBody`, and logs those of the server once. Call it before routes are added. */
export function installErrorAnswers(app: FastifyInstance): void {
  app.setErrorHandler((error: unknown, request, reply) => answer(toAppError(error), request, reply))
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? ''
    return answer(
      failure('ROUTE_NOT_FOUND', `${request.method} ${path} does not exist; see /openapi.json`),
      request,
      reply,
    )
  })
}

function answer(error: AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, headers, body } = errorAnswer(error, request.id)
  if (status >= 500) request.log.error({ err: error }, 'request failed')
  return reply.status(status).headers(headers).send(body)
}

function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  return (
    (isFastifyError(error) ? ofFastify(error) : undefined) ?? failure('INTERNAL', 'Unexpected error', { cause: error })
  )
}

/** What fastify refuses before a handler runs: https://fastify.dev/docs/latest/Reference/Errors */
function ofFastify(error: FastifyError): AppError | undefined {
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return failure('BODY_TOO_LARGE', 'The request body is larger than 64 KiB')
  if (error.statusCode === undefined || error.statusCode < 400 || error.statusCode >= 500) return undefined
  return failure('ARGUMENT_INVALID', `The request was refused: ${error.message}`, { details: { reason: error.code } })
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}
