import {
  Environment,
  EnvironmentPatch,
  LedgerLine,
  Plan,
  Receipt,
  ServiceName,
  StateRequested,
  TenantName,
} from '@tributary/contract'
import { Type } from 'typebox'
import { isOwnedBy } from '../../domain/owner.js'
import { patchEnvironment, requestRetry } from '../../operations/change-environment.js'
import { requestRedeploy, requestSleep } from '../../operations/request-sleep.js'
import { requestTeardown } from '../../operations/request-teardown.js'
import { rollBackService } from '../../operations/rollback-service.js'
import { getEnvironment, listEnvironments } from '../../operations/state/environments.js'
import { listLedger } from '../../operations/state/ledger.js'
import { listReceipts } from '../../operations/state/receipts.js'
import { wake } from '../wake.js'
import { answers, environmentOf, strictObject, type RouteDeps, type TypedApp } from '../route-deps.js'

const Params = strictObject({ name: TenantName })
const Accepted = strictObject({ accepted: Type.Literal(true) })
const accepted = { accepted: true } as const
const read = { callers: 'read' } as const
const change = (audit: string) => ({ callers: 'change-environment', audit }) as const

/** Environments: list, look at, pin, delete, reconcile, plan, roll a service back; their ledger and receipts. */
export function environmentRoutes(app: TypedApp, given: RouteDeps): void {
  readingRoutes(app, given)
  changingRoutes(app, given)
  runningRoutes(app, given)
  rollbackRoute(app, given)
  proofRoutes(app, given)
}

function readingRoutes(app: TypedApp, { deps, loop }: RouteDeps): void {
  app.get(
    '/v1/environments',
    {
      config: read,
      schema: {
        summary: 'All environments, or those of an owner',
        querystring: strictObject({
          owner: Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: 254,
              description: 'name, address, or the address before its @, in any case',
            }),
          ),
        }),
        response: answers({ 200: strictObject({ environments: Type.Array(Environment) }) }),
      },
    },
    async ({ query: { owner } }) => {
      const environments = (await listEnvironments(deps.store)).map((record) => environmentOf(deps, record))
      return { environments: environments.filter((one) => owner === undefined || isOwnedBy(one.owner, owner)) }
    },
  )
  app.get(
    '/v1/environments/:name',
    { config: read, schema: { summary: 'One environment', params: Params, response: answers({ 200: Environment }) } },
    async ({ params }) => environmentOf(deps, await getEnvironment(deps.store, params.name)),
  )
  app.get(
    '/v1/environments/:name/plan',
    {
      config: read,
      schema: { summary: 'What a reconcile would do now', params: Params, response: answers({ 200: Plan }) },
    },
    async ({ params }) => loop.plan(await getEnvironment(deps.store, params.name)),
  )
}

function changingRoutes(app: TypedApp, { deps, loop }: RouteDeps): void {
  app.patch(
    '/v1/environments/:name',
    {
      config: change('environment.patch'),
      schema: {
        summary: 'Pin or unpin it, keep it longer, or name its owner',
        params: Params,
        body: EnvironmentPatch,
        response: answers({ 200: Environment }),
      },
    },
    async ({ params, body }) => environmentOf(deps, await patchEnvironment(deps, params.name, body)),
  )
  app.delete(
    '/v1/environments/:name',
    {
      config: { callers: 'delete-environment', audit: 'environment.delete' },
      schema: {
        summary: 'Tear down now; it comes back at the next push',
        params: Params,
        response: answers({ 202: Accepted }),
      },
    },
    async ({ params }, reply) => {
      await requestTeardown(deps.store, params.name, deps.clock.now())
      loop.supersede(params.name, 'Somebody asked for the environment to be removed; the teardown takes over')
      loop.mark(params.name)
      return reply.status(202).send(accepted)
    },
  )
  app.post(
    '/v1/environments/:name/reconcile',
    {
      config: change('environment.retry'),
      schema: {
        summary: 'Look now, and try again what was given up on',
        params: Params,
        response: answers({ 202: Accepted }),
      },
    },
    async ({ params }, reply) => {
      await requestRetry(deps.store, params.name)
      loop.requestLook()
      loop.mark(params.name)
      return reply.status(202).send(accepted)
    },
  )
}

function runningRoutes(app: TypedApp, { deps, loop }: RouteDeps): void {
  app.post(
    '/v1/environments/:name/sleep',
    {
      config: change('environment.sleep'),
      schema: {
        summary: 'Stop its services until somebody wakes it, pushes, or asks for it through the gateway',
        params: Params,
        response: answers({ 202: StateRequested }),
      },
    },
    async ({ params }, reply) => {
      const changed = await requestSleep(deps, params.name)
      if (changed) loop.supersede(params.name, 'Somebody puts the environment to sleep; its services are stopped')
      loop.mark(params.name)
      return reply.status(202).send({ ...accepted, changed })
    },
  )
  app.post(
    '/v1/environments/:name/wake',
    {
      config: change('environment.wake'),
      schema: { summary: 'Start its services again', params: Params, response: answers({ 202: StateRequested }) },
    },
    async ({ params }, reply) => {
      return reply.status(202).send({ ...accepted, changed: await wake({ deps, loop }, params.name) })
    },
  )
  app.post(
    '/v1/environments/:name/redeploy',
    {
      config: change('environment.redeploy'),
      schema: {
        summary: 'Stop services and start them again at the commits that they run; calls fall back meanwhile',
        params: Params,
        body: strictObject({
          service: Type.Optional({ ...ServiceName, description: 'default: every own service' }),
        }),
        response: answers({ 202: Accepted }),
      },
    },
    async ({ params, body }, reply) => {
      await requestRedeploy(deps, { environment: params.name, service: body.service })
      loop.mark(params.name)
      return reply.status(202).send(accepted)
    },
  )
}

function rollbackRoute(app: TypedApp, { deps, loop }: RouteDeps): void {
  app.post(
    '/v1/environments/:name/services/:service/rollback',
    {
      config: change('service.rollback'),
      schema: {
        summary: 'Go back to the commit of an earlier successful run, until the next push',
        params: strictObject({ name: TenantName, service: ServiceName }),
        body: strictObject({ runId: Type.Optional(Type.String({ maxLength: 64 })) }),
        response: answers({ 202: Accepted }),
      },
    },
    async ({ params, body }, reply) => {
      const { name: environment, service } = params
      await rollBackService(deps.store, { environment, service, ...body })
      loop.supersede(environment, `Somebody rolled ${service} back; a new run takes over`)
      loop.mark(environment)
      return reply.status(202).send(accepted)
    },
  )
}

function proofRoutes(app: TypedApp, { deps }: RouteDeps): void {
  app.get(
    '/v1/environments/:name/ledger',
    {
      config: read,
      schema: {
        summary: 'What was made for the environment and is not yet verified gone',
        params: Params,
        response: answers({ 200: strictObject({ lines: Type.Array(LedgerLine) }) }),
      },
    },
    async ({ params }) => ({ lines: [...(await listLedger(deps.store, params.name))] }),
  )
  app.get(
    '/v1/environments/:name/receipts',
    {
      config: read,
      schema: {
        summary: 'Proofs that generations of the environment are gone, newest first',
        params: Params,
        response: answers({ 200: strictObject({ receipts: Type.Array(Receipt) }) }),
      },
    },
    async ({ params }) => ({ receipts: [...(await listReceipts(deps.store, params.name))] }),
  )
}
