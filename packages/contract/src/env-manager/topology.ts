import { Type, type Static } from 'typebox'
import { CommitSha, Instant, ServiceName, StoreRevisionText, TenantName } from '../names.js'
import { LatencySummary, ObservedLeak } from '../config-center/calls.js'
import { Endpoint } from '../config-center/entries.js'

const strict = { additionalProperties: false } as const

/** A service as an environment sees it. `missing`: somebody depends on it and nobody in the chain has it. */
export const TopologyNode = Type.Object(
  {
    service: ServiceName,
    state: Type.Union([
      Type.Literal('own'),
      Type.Literal('inherited'),
      Type.Literal('masked'),
      Type.Literal('missing'),
    ]),
    owner: Type.Union([TenantName, Type.Null()]),
    version: Type.Union([Type.String(), Type.Null()]),
    commitSha: Type.Union([CommitSha, Type.Null()]),
    health: Type.Union([
      Type.Literal('healthy'),
      Type.Literal('unhealthy'),
      Type.Literal('starting'),
      Type.Literal('unknown'),
    ]),
    healthMessage: Type.Union([Type.String(), Type.Null()]),
    endpoints: Type.Array(Endpoint),
    url: Type.Union([Type.String(), Type.Null()]),
  },
  strict,
)
export type TopologyNode = Static<typeof TopologyNode>

/** Who calls whom: declared in a service definition, observed at run time, or both. */
export const TopologyEdge = Type.Object(
  {
    from: ServiceName,
    to: ServiceName,
    declared: Type.Boolean(),
    observed: Type.Union([
      Type.Null(),
      Type.Object(
        {
          calls: Type.Integer(),
          errors: Type.Integer(),
          leaks: Type.Integer({ description: 'calls that lost the environment on the way' }),
          latency: Type.Union([LatencySummary, Type.Null()]),
          lastSeenAt: Instant,
        },
        strict,
      ),
    ]),
  },
  strict,
)
export type TopologyEdge = Static<typeof TopologyEdge>

/** An environment's services and calls at a store revision of the config center. */
export const Topology = Type.Object(
  {
    environment: TenantName,
    chain: Type.Array(TenantName),
    storeRevision: StoreRevisionText,
    nodes: Type.Array(TopologyNode),
    edges: Type.Array(TopologyEdge),
    leaks: Type.Array(ObservedLeak, { description: 'calls of this environment that lost it, newest first' }),
  },
  { $id: 'Topology', additionalProperties: false },
)
export type Topology = Static<typeof Topology>

/** What differs between two environments' topologies, by service. */
export const TopologyDifference = Type.Object(
  {
    left: TenantName,
    right: TenantName,
    services: Type.Array(
      Type.Object(
        {
          service: ServiceName,
          left: Type.Union([TopologyNode, Type.Null()]),
          right: Type.Union([TopologyNode, Type.Null()]),
        },
        strict,
      ),
    ),
  },
  { $id: 'TopologyDifference', additionalProperties: false },
)
export type TopologyDifference = Static<typeof TopologyDifference>
