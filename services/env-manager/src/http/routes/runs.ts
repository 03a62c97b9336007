import { Run, TenantName } from '@tributary/contract'
import { Type } from 'typebox'
import { followRun } from '../../operations/follow-run.js'
import { requestRerun } from '../../operations/request-rerun.js'
import { getRun, listRuns } from '../../operations/state/runs.js'
import { requirePermission, subjectOfTenant } from '../plugins/authenticate.js'
import { answers, strictObject, type RouteDeps, type TypedApp } from '../route-deps.js'
import { streamEvents } from '../server-sent-events.js'

const Params = strictObject({ runId: Type.String({ pattern: '^[a-z0-9-]{1,64}$' }) })
const read = { callers: 'read' } as const

/** Runs: what was done to environments, step by step, with logs. They outlive their environment. */
export function runRoutes(app: TypedApp, { deps, loop, closing }: RouteDeps): void {
  app.get(
    '/v1/runs',
    {
      config: read,
      schema: {
        summary: 'Runs, newest first',
        querystring: strictObject({
          environment: Type.Optional(TenantName),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 50 })),
        }),
        response: answers({ 200: strictObject({ runs: Type.Array(Run) }) }),
      },
    },
    async ({ query: { limit = 50, ...query } }) => ({ runs: [...(await listRuns(deps.store, { limit, ...query }))] }),
  )
  app.get(
    '/v1/runs/:runId',
    { config: read, schema: { summary: 'One run', params: Params, response: answers({ 200: Run }) } },
    async ({ params }) => getRun(deps.store, params.runId),
  )
  rerunRoute(app, { deps, loop })
  app.get(
    '/v1/runs/:runId/logs',
    {
      config: read,
      schema: {
        summary: 'A run and its log lines, then new ones (Server-Sent Events: `run`, `log`, `end`)',
        params: Params,
        querystring: strictObject({ follow: Type.Optional(Type.Boolean({ default: false })) }),
        produces: ['text/event-stream'],
      },
    },
    async (request, reply) => {
      const run = await getRun(deps.store, request.params.runId)
      await streamEvents(request, reply, async (send, gone) => {
        const signal = AbortSignal.any([gone, closing])
        await followRun(
          deps,
          { run, follow: request.query.follow ?? false, signal },
          {
            onRun: (now) => send('run', now),
            onLine: (line) => send('log', line),
          },
        )
        await send('end', {})
      })
    },
  )
}

function rerunRoute(app: TypedApp, { deps, loop }: Pick<RouteDeps, 'deps' | 'loop'>): void {
  app.post(
    '/v1/runs/:runId/rerun',
    {
      config: { callers: 'authenticated', audit: 'run.rerun' },
      schema: {
        summary: 'Try again what a run did not bring about; with what the branch and the platform are like now',
        params: Params,
        response: answers({ 202: strictObject({ accepted: Type.Literal(true) }) }),
      },
    },
    async ({ params, caller }, reply) => {
      const { environment } = await getRun(deps.store, params.runId)
      if (caller !== null) {
        requirePermission(caller, 'change-environment', await subjectOfTenant(deps.store, environment))
      }
      await requestRerun(deps.store, params.runId)
      loop.requestLook()
      loop.mark(environment)
      return reply.status(202).send({ accepted: true as const })
    },
  )
}
