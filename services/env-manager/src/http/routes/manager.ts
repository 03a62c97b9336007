import { GitHint, HintAccepted, ManagerStatus } from '@tributary/contract'
import { Type } from 'typebox'
import { failure } from '../../errors.js'
import { probeConfigCenter, readStatus } from '../../operations/read-status.js'
import { approveRemovals } from '../../operations/state/breaker.js'
import { answers, strictObject, type RouteDeps, type TypedApp } from '../route-deps.js'

const Accepted = strictObject({ accepted: Type.Literal(true) })
const accepted = { accepted: true } as const

/** The manager itself: status, hints, approval of many deletions, health. */
export function managerRoutes(app: TypedApp, { deps, loop, closing }: RouteDeps): void {
  app.get(
    '/v1/status',
    {
      config: { callers: 'read' },
      schema: { summary: 'How the manager is doing', response: answers({ 200: ManagerStatus }) },
    },
    async () => readStatus(deps, loop.status()),
  )
  app.post(
    '/v1/hints/git',
    {
      config: { callers: 'send-hints' },
      schema: { summary: 'Something was pushed: look sooner', body: GitHint, response: answers({ 202: HintAccepted }) },
    },
    async ({ body }, reply) => {
      const known = deps.config.repositories.some(({ name }) => name === body.repository)
      loop.requestLook(known ? body.repository : undefined)
      return reply.status(202).send(accepted)
    },
  )
  app.post(
    '/v1/breaker/approve',
    {
      config: { callers: 'approve-removals', audit: 'removals.approve' },
      schema: {
        summary: 'Let the manager remove exactly the environments that wait under this id',
        body: strictObject({ approvalId: Type.String({ minLength: 1, maxLength: 64 }) }),
        response: answers({ 202: Accepted }),
      },
    },
    async ({ body }, reply) => {
      await approveRemovals(deps.store, body.approvalId)
      loop.requestLook()
      return reply.status(202).send(accepted)
    },
  )
  healthRoutes(app, { deps, closing })
}

/** Probes come every few seconds: their requests are not worth a line each. */
const QUIET = { logLevel: 'warn' } as const

function healthRoutes(app: TypedApp, { deps, closing }: Pick<RouteDeps, 'deps' | 'closing'>): void {
  const Ok = strictObject({ status: Type.Literal('ok') })
  app.get(
    '/healthz',
    { ...QUIET, config: { callers: 'open' }, schema: { summary: 'The process is alive', response: { 200: Ok } } },
    async () => ({ status: 'ok' as const }),
  )
  app.get(
    '/readyz',
    {
      ...QUIET,
      config: { callers: 'open' },
      schema: {
        summary: 'The manager can read its store, and the config center answers it',
        response: answers({ 200: Ok }),
      },
    },
    async () => {
      closing.throwIfAborted()
      await deps.store.currentRevision()
      if ((await probeConfigCenter(deps)) !== 'READY') {
        throw failure(
          'NOT_READY',
          'The config center does not answer the env-manager; is it up, and is the token right?',
        )
      }
      return { status: 'ok' as const }
    },
  )
}
