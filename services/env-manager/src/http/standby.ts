import Fastify, { type FastifyServerOptions } from 'fastify'
import { failure } from '../errors.js'
import { installErrorAnswers } from './error-answers.js'

/** What a standby answers with. */
export interface StandbyOptions {
  readonly host: string
  readonly port: number
  /** Where clients reach the leader; undefined when that is not for them to know, or nobody leads. */
  readonly leader: () => string | undefined
  readonly logger?: FastifyServerOptions['logger']
}

/** A process that waits to lead: alive, not ready, and everything else is refused, with the leader's address if it is advertised: whoever asks is not known here. */
export interface Standby {
  readonly url: string
  readonly port: number
  readonly log: { info(details: object, message: string): void }
  close(): Promise<void>
}

/** Listens until it is closed. Rejects with the listen error when the port is taken. */
export async function startStandby({ host, port, leader, logger = false }: StandbyOptions): Promise<Standby> {
  const app = Fastify({ forceCloseConnections: true, logger })
  installErrorAnswers(app)
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.all('/*', async () => {
    const where = leader()
    const advice = where === undefined ? 'try again: requests are for whoever is ready' : `ask the leader at ${where}`
    throw failure('NOT_LEADER', `This env-manager is a standby; ${advice}`, { details: { leader: where ?? null } })
  })
  const url = await app.listen({ host, port })
  return { url, port: Number(new URL(url).port), log: app.log, close: () => app.close() }
}
