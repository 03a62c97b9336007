import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { ErrorBody } from '@tributary/contract'
import type { Environment, Plan } from '@tributary/contract'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import { Type, type TProperties } from 'typebox'
import { toEnvironment, type EnvironmentRecord } from '../domain/environment-record.js'
import { ttlMsOf, type EnvironmentDependencies } from '../operations/dependencies.js'
import type { LoopStatus } from '../operations/read-status.js'

/** The running loop, as routes see it. */
export interface ControlLoop {
  requestLook(repository?: string): void
  mark(environment: string): void
  supersede(environment: string, why: string): void
  plan(record: EnvironmentRecord): Promise<Plan>
  status(): LoopStatus
}

/** What routes work with. */
export interface RouteDeps {
  readonly deps: EnvironmentDependencies
  readonly loop: ControlLoop
  /** Aborts when the server closes, so that streams end. */
  readonly closing: AbortSignal
}

/** A fastify instance whose handlers are typed by their TypeBox schemas. */
export type TypedApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** An object that takes no other members. */
export function strictObject<Properties extends TProperties>(properties: Properties) {
  return Type.Object(properties, { additionalProperties: false })
}

/** Answers of a route: its success, and an `ErrorBody` for everything else. */
export function answers<Success extends Record<number, unknown>>(success: Success) {
  return { ...success, '4xx': ErrorBody, '5xx': ErrorBody } as const
}

/** A record as the API shows it. */
export function environmentOf({ config, routes }: EnvironmentDependencies, record: EnvironmentRecord): Environment {
  return toEnvironment(record, { ttlMs: ttlMsOf(config), urlOf: (service) => routes.urlOf(record.name, service) })
}
