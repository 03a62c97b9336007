import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { OperationContext } from '../operations/operation-context.js'
import type { ConvergenceWatcher } from '../ports/convergence.js'

/** What routes work with. */
export interface RouteDeps {
  readonly context: OperationContext
  readonly convergence: ConvergenceWatcher
}

/** A fastify instance whose handlers are typed by their TypeBox schemas. */
export type TypedApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>
