import type { ErrorBody } from '@tributary/contract'
import { AppError, type ErrorKind } from '@tributary/kit'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { failure } from '../errors.js'

/** The only place that knows status numbers. */
const STATUS: Readonly<Record<ErrorKind, number>> = {
  invalid_argument: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  already_exists: 409,
  conflict: 409,
  gone: 410,
  failed_precondition: 422,
  resource_exhausted: 429,
  canceled: 499,
  internal: 500,
  unavailable: 503,
  deadline_exceeded: 504,
}

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
  const status = STATUS[error.kind]
  if (status >= 500) request.log.error({ err: error }, 'request failed')
  if (error.kind === 'unauthenticated') void reply.header('www-authenticate', 'Bearer')
  if (error.kind === 'unavailable' || error.kind === 'resource_exhausted') void reply.header('retry-after', '1')
  return reply.status(status).send(bodyOf(error, request))
}

function bodyOf({ kind, code, message, retryable, details }: AppError, request: FastifyRequest): ErrorBody {
  // The message of a bug may hold anything; the log has it.
  const shown = kind === 'internal' ? `The server failed; its log has the reason under request ${request.id}` : message
  const told = kind === 'internal' ? { requestId: request.id } : { ...details }
  return { error: { kind, code, message: shown, retryable, details: told } }
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
