import { Type, type Static } from 'typebox'
import { ObservedLeak } from '../config-center/calls.js'
import { ServiceName, TenantName } from '../names.js'

export * from './probe-headers.js'

const strict = { additionalProperties: false } as const

/** What a service answers a probe with, instead of running its own code. `next` is what the service that it called answered. */
export interface ProbeAnswer {
  readonly service: string
  /** The tenant that the answering process belongs to. */
  readonly tenant: string
  readonly instance: string
  /** The tenant that the process took from the request; null: none. */
  readonly contextTenant: string | null
  /** Where the process resolves the next service to, for that tenant. */
  readonly next: ProbeHop | null
}

/** One call that a probe made on its way. */
export interface ProbeHop {
  readonly to: string
  /** The tenant whose copy the table says should answer; null: nobody has the service. */
  readonly owner: string | null
  /** Null when there was none that can be read as a probe's; `error` says why. */
  readonly answer: ProbeAnswer | null
  readonly error: string | null
}

/** `ProbeAnswer` as a schema, for whoever reads one from the network. It is checked level by level. */
export const ProbeAnswerShape = Type.Object({
  service: ServiceName,
  tenant: TenantName,
  instance: Type.String({ maxLength: 128 }),
  contextTenant: Type.Union([TenantName, Type.Null()]),
  next: Type.Union([
    Type.Null(),
    Type.Object({
      to: ServiceName,
      owner: Type.Union([TenantName, Type.Null()]),
      answer: Type.Unknown(),
      error: Type.Union([Type.String({ maxLength: 1_024 }), Type.Null()]),
    }),
  ]),
})

/**
 * | result | meaning |
 * | --- | --- |
 * | carried | the right copy answered, and it knew the environment |
 * | lost | somebody answered without knowing the environment, or a copy that is not the environment's |
 * | unanswered | nobody answered as a probe is answered: the middleware is missing, or the service cannot be reached |
 * | unreached | not tried, since the probe did not get as far as its caller |
 */
export const PROBE_RESULTS = ['carried', 'lost', 'unanswered', 'unreached'] as const
export const ProbeResult = Type.Enum(PROBE_RESULTS)
export type ProbeResult = (typeof PROBE_RESULTS)[number]

/** One edge, and whether it carries the routing context. `from` null: the way into the environment. */
export const ProbedEdge = Type.Object(
  {
    from: Type.Union([ServiceName, Type.Null()]),
    to: ServiceName,
    result: ProbeResult,
    expectedOwner: Type.Union([TenantName, Type.Null()]),
    answeredBy: Type.Union([TenantName, Type.Null()]),
    detail: Type.String(),
  },
  strict,
)
export type ProbedEdge = Static<typeof ProbedEdge>

/** What a probe of an environment found: every declared edge, and the leaks that real calls left in the last minutes. */
export const ProbeReport = Type.Object(
  {
    environment: TenantName,
    holds: Type.Boolean({ description: 'every edge carries the context and no leak was seen lately' }),
    edges: Type.Array(ProbedEdge),
    leaks: Type.Array(ObservedLeak),
  },
  { $id: 'ProbeReport', additionalProperties: false },
)
export type ProbeReport = Static<typeof ProbeReport>
