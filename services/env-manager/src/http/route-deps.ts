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
import type { SignInConfig } from '../domain/sign-in-config.js'
import { sleepAfterMsOf, ttlMsOf, type EnvironmentDependencies } from '../operations/dependencies.js'
import type { LoopStatus } from '../operations/read-status.js'
import type { SessionDependencies } from '../operations/sessions/sessions.js'
import type { CallerRegistry } from './caller.js'
import type { SessionCookie } from './session-cookie.js'

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

/** What signing in works with. */
export interface SignInDeps {
  readonly config: SignInConfig
  readonly sessions: SessionDependencies
  readonly registry: CallerRegistry
  readonly cookie: SessionCookie
  /** Of a sign-in that is under way at a provider. */
  readonly pendingCookie: SessionCookie
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
export function environmentOf(
  { config, routes, activity }: EnvironmentDependencies,
  record: EnvironmentRecord,
): Environment {
  return toEnvironment(record, {
    ttlMs: ttlMsOf(config),
    sleepAfterMs: sleepAfterMsOf({ config, routes }),
    lastRequestAt: activity?.lastRequestAt(record.name) ?? null,
    urlOf: (service) => routes.urlOf(record.name, service),
  })
}
