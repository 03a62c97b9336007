import {
  CallExplanation,
  ProbeReport,
  ServiceName,
  TenantName,
  Topology,
  TopologyDifference,
} from '@tributary/contract'
import { Type } from 'typebox'
import { probeEnvironment } from '../../operations/probe/probe-environment.js'
import { diffEnvironments, explainEnvironmentCall, readTopology } from '../../operations/topology/read-topology.js'
import { getEnvironment } from '../../operations/state/environments.js'
import type { TopologyFeeds } from '../../watch/topology-feeds.js'
import { answers, strictObject, type RouteDeps, type TypedApp } from '../route-deps.js'
import { streamEvents } from '../server-sent-events.js'

const Params = strictObject({ name: TenantName })
const DEFAULT_LEAK_SECONDS = 600
const MAX_LEAK_SECONDS = 86_400
const read = { callers: 'read' } as const

/** Who answers whom: the topology of an environment, live, compared with another, and one call explained. */
export function topologyRoutes(
  app: TypedApp,
  { deps, closing, topologies }: RouteDeps & { readonly topologies: TopologyFeeds },
): void {
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
      // A wrong name is answered before the stream begins.
      await getEnvironment(deps.store, request.params.name)
      await streamEvents(request, reply, async (send, gone) => {
        const signal = AbortSignal.any([gone, closing])
        for await (const topology of topologies.follow(request.params.name, signal)) await send('topology', topology)
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
