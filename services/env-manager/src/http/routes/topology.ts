import {
  CallExplanation,
  ProbeReport,
  ServiceName,
  TenantName,
  Topology,
  TopologyDifference,
} from '@tributary/contract'
import { canonicalJson } from '@tributary/contract'
import { Type } from 'typebox'
import { probeEnvironment } from '../../operations/probe/probe-environment.js'
import { diffEnvironments, explainEnvironmentCall, readTopology } from '../../operations/topology/read-topology.js'
import { answers, strictObject, type RouteDeps, type TypedApp } from '../route-deps.js'
import { streamEvents } from '../server-sent-events.js'

const Params = strictObject({ name: TenantName })
const DEFAULT_LEAK_SECONDS = 600
const MAX_LEAK_SECONDS = 86_400
const read = { callers: 'read' } as const
/** How often a followed topology is looked at: people watch it, programs use the SDK's stream. */
const FOLLOW_MS = 1000

/** Who answers whom: the topology of an environment, live, compared with another, and one call explained. */
export function topologyRoutes(app: TypedApp, { deps, closing }: RouteDeps): void {
  app.get(
    '/v1/environments/:name/topology',
    { config: read, schema: { summary: 'Services and calls', params: Params, response: answers({ 200: Topology }) } },
    async ({ params }) => readTopology(deps, params.name),
  )
  app.get(
    '/v1/environments/:name/topology/stream',
    {
      config: read,
      schema: {
        summary: 'The topology at each change (Server-Sent Events: `topology`)',
        params: Params,
        produces: ['text/event-stream'],
      },
    },
    async (request, reply) => {
      const first = await readTopology(deps, request.params.name)
      await streamEvents(request, reply, async (send, gone) => {
        const signal = AbortSignal.any([gone, closing])
        let sent = ''
        for (let topology = first; !signal.aborted; topology = await readTopology(deps, request.params.name)) {
          const { storeRevision: _, ...seen } = topology
          const text = canonicalJson(seen)
          if (text !== sent) await send('topology', topology)
          sent = text
          await deps.clock.sleep(FOLLOW_MS, signal).catch(() => undefined)
        }
      })
    },
  )
  app.get(
    '/v1/environments/:name/topology/diff',
    {
      config: read,
      schema: {
        summary: 'What differs from another environment',
        params: Params,
        querystring: strictObject({ against: TenantName }),
        response: answers({ 200: TopologyDifference }),
      },
    },
    async ({ params, query }) => diffEnvironments(deps, params.name, query.against),
  )
  app.get(
    '/v1/environments/:name/explain',
    {
      config: read,
      schema: {
        summary: 'Which address answers a call, by which rule, and why not another',
        params: Params,
        querystring: strictObject({ call: ServiceName, from: Type.Optional(ServiceName) }),
        response: answers({ 200: CallExplanation }),
      },
    },
    async ({ params, query }) => explainEnvironmentCall(deps, params.name, { service: query.call, from: query.from }),
  )
  probeRoute(app, { deps, closing })
}

function probeRoute(app: TypedApp, { deps, closing }: Pick<RouteDeps, 'deps' | 'closing'>): void {
  app.post(
    '/v1/environments/:name/probe',
    {
      config: { callers: 'change-environment', audit: 'environment.probe' },
      schema: {
        summary: 'Send a synthetic request through every declared edge, and say which of them carry the environment',
        params: Params,
        querystring: strictObject({
          leakSeconds: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: MAX_LEAK_SECONDS,
              description: 'leaks of real calls within this time count too; default 600',
            }),
          ),
        }),
        response: answers({ 200: ProbeReport }),
      },
    },
    async ({ params, query: { leakSeconds = DEFAULT_LEAK_SECONDS } }) =>
      probeEnvironment(deps, params.name, { leakSeconds, signal: closing }),
  )
}
