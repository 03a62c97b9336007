import { Type, type Static } from 'typebox'
import { CommitSha, Instant, ServiceName, Stage, TenantName } from '../names.js'

const strict = { additionalProperties: false } as const

/**
 * | phase | meaning |
 * | --- | --- |
 * | pending | known, nothing done yet; or a service waits for the image of its commit |
 * | deploying | a deploy run is under way |
 * | ready | every own service runs the wanted commit, is healthy and registered |
 * | degraded | it was ready; a service is unhealthy, the newest deploy failed and the last good copy serves, or a file of the branch cannot be used |
 * | failed | no good copy of some own service has ever run |
 * | asleep | its services are stopped and calls fall back; config, tenant and address stay; it can be woken |
 * | terminating | the teardown is under way; it is never cancelled |
 */
export const ENVIRONMENT_PHASES = [
  'pending',
  'deploying',
  'ready',
  'degraded',
  'failed',
  'asleep',
  'terminating',
] as const
export const EnvironmentPhase = Type.Enum(ENVIRONMENT_PHASES)
export type EnvironmentPhase = (typeof ENVIRONMENT_PHASES)[number]

/** A Kubernetes-style condition: what is true of an environment or one of its services, why, and since when. */
export const Condition = Type.Object(
  {
    type: Type.String({ description: 'e.g. Ready, Reconciled, DefinitionValid, ServiceHealthy' }),
    status: Type.Union([Type.Literal('True'), Type.Literal('False'), Type.Literal('Unknown')]),
    reason: Type.String({ description: 'CamelCase word for programs' }),
    message: Type.String({ description: 'for people: what happened, on what, what to do' }),
    service: Type.Optional(ServiceName),
    observedGeneration: Type.Integer(),
    lastTransitionAt: Instant,
  },
  strict,
)
export type Condition = Static<typeof Condition>

/** A service that the environment deploys itself. `deployedCommit` is what serves now. */
export const EnvironmentService = Type.Object(
  {
    name: ServiceName,
    repository: Type.String(),
    wantedCommit: CommitSha,
    deployedCommit: Type.Union([CommitSha, Type.Null()]),
    version: Type.Union([Type.String(), Type.Null()]),
    status: Type.Union([
      Type.Literal('pending'),
      Type.Literal('deploying'),
      Type.Literal('healthy'),
      Type.Literal('unhealthy'),
      Type.Literal('failed'),
      Type.Literal('invalid'),
    ]),
    url: Type.Union([Type.String(), Type.Null()], { description: 'through the gateway' }),
  },
  strict,
)
export type EnvironmentService = Static<typeof EnvironmentService>

/** Whose environment it is, for finding one's own. It gives no right: an author is what a commit says of itself. */
export const EnvironmentOwner = Type.Object(
  { name: Type.String(), email: Type.Union([Type.String(), Type.Null()]) },
  strict,
)
export type EnvironmentOwner = Static<typeof EnvironmentOwner>

/** One environment: namespace, tenant, workloads and routes of one branch. Its tenant has the same name. */
export const Environment = Type.Object(
  {
    name: TenantName,
    branch: Type.String(),
    stage: Stage,
    base: Type.Union([TenantName, Type.Null()]),
    generation: Type.Integer(),
    phase: EnvironmentPhase,
    pinned: Type.Boolean({ description: 'a time to live never removes it; deleting the branch does' }),
    createdAt: Instant,
    lastPushAt: Instant,
    owner: Type.Union([EnvironmentOwner, Type.Null()], {
      description:
        'whom a person named, else the author of the newest head commit; null: not known yet, or everybody’s, as integration is',
    }),
    expiresAt: Type.Union([Instant, Type.Null()]),
    asleep: Type.Union([
      Type.Null(),
      Type.Object({ since: Instant, reason: Type.Union([Type.Literal('requested'), Type.Literal('idle')]) }, strict),
    ]),
    lastRequestAt: Type.Union([Instant, Type.Null()], { description: 'through the gateway; null: none is known' }),
    sleepsAt: Type.Union([Instant, Type.Null()], {
      description: 'when it falls asleep if nobody uses it; null: never',
    }),
    repositories: Type.Array(Type.Object({ repository: Type.String(), commitSha: CommitSha }, strict)),
    services: Type.Array(EnvironmentService),
    masked: Type.Array(ServiceName),
    conditions: Type.Array(Condition),
    url: Type.Union([Type.String(), Type.Null()]),
    currentRunId: Type.Union([Type.String(), Type.Null()]),
    lastRunId: Type.Union([Type.String(), Type.Null()]),
  },
  { $id: 'Environment', additionalProperties: false },
)
export type Environment = Static<typeof Environment>

/** The image that a pipeline has built of a commit, for a service with `deploy: { on: image }`. */
export const BuiltImage = Type.Object(
  {
    image: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9._:/@-]*$',
      maxLength: 512,
      description: 'reference, best by digest: registry.example/team/orders@sha256:…',
    }),
  },
  { $id: 'BuiltImage', additionalProperties: false },
)
export type BuiltImage = Static<typeof BuiltImage>

/**
 * What follows from an image.
 *
 * | outcome | meaning |
 * | --- | --- |
 * | deploys | the environment waits for it: the service is deployed |
 * | replaces | the service runs another image of the commit, and is deployed with this one |
 * | known | it was named before; nothing changes |
 * | kept | the environment does not wait for one of this commit now, or sleeps |
 */
export const IMAGE_OUTCOMES = ['deploys', 'replaces', 'known', 'kept'] as const
export type ImageOutcome = (typeof IMAGE_OUTCOMES)[number]
export const ImageTaken = Type.Object(
  { outcome: Type.Enum(IMAGE_OUTCOMES) },
  { $id: 'ImageTaken', additionalProperties: false },
)
export type ImageTaken = Static<typeof ImageTaken>

/** A thing that the platform made for an environment. Written before it is made, struck out after it is verified gone. */
export const LedgerLine = Type.Object(
  {
    environment: TenantName,
    generation: Type.Integer(),
    kind: Type.String({ description: 'tenant, token, entry, secret, space, worktree, process, …' }),
    id: Type.String({ description: 'enough to find it again' }),
    recordedAt: Instant,
  },
  { $id: 'LedgerLine', additionalProperties: false },
)
export type LedgerLine = Static<typeof LedgerLine>

/** The proof that an environment is gone: each thing of its ledger, and how its absence was seen. */
export const Receipt = Type.Object(
  {
    environment: TenantName,
    branch: Type.String(),
    generation: Type.Integer(),
    runId: Type.String(),
    reason: Type.String({ description: 'branch_deleted, requested, expired, orphaned' }),
    startedAt: Instant,
    finishedAt: Instant,
    resources: Type.Array(
      Type.Object(
        {
          kind: Type.String(),
          id: Type.String(),
          goneAt: Instant,
          evidence: Type.String({ description: 'how it was verified' }),
        },
        strict,
      ),
    ),
  },
  { $id: 'Receipt', additionalProperties: false },
)
export type Receipt = Static<typeof Receipt>

/** What `release-finalizers` let go. */
export const ReleasedObjects = Type.Object(
  {
    released: Type.Array(
      Type.Object(
        {
          object: Type.String({ description: 'kind, namespace and name' }),
          finalizers: Type.Array(Type.String(), { description: 'those that were taken off' }),
        },
        strict,
      ),
    ),
  },
  { $id: 'ReleasedObjects', additionalProperties: false },
)
export type ReleasedObjects = Static<typeof ReleasedObjects>

/** What a person may change on an environment directly. */
export const EnvironmentPatch = Type.Object(
  {
    pinned: Type.Optional(Type.Boolean({ description: 'neither a time to live nor idleness ends it' })),
    keepUntil: Type.Optional(
      Type.Union([Instant, Type.Null()], {
        description: 'its time to live does not end before this moment, at most a year from now; null: no longer',
      }),
    ),
    owner: Type.Optional(
      Type.Union([Type.String({ minLength: 1, maxLength: 254 }), Type.Null()], {
        description: 'as "Ann Lee", "ann@example.org" or "Ann Lee <ann@example.org>"; null: who pushed last, again',
      }),
    ),
  },
  { $id: 'EnvironmentPatch', additionalProperties: false, minProperties: 1 },
)
export type EnvironmentPatch = Static<typeof EnvironmentPatch>

/** A process of the env-manager. One leads; the others stand by, and take over when it ends. */
export const ManagerReplica = Type.Object(
  {
    replicaId: Type.String(),
    role: Type.Union([Type.Literal('leader'), Type.Literal('standby')]),
    url: Type.Union([Type.String(), Type.Null()], { description: 'where it listens; null: it is the only one' }),
    startedAt: Type.Union([Instant, Type.Null()]),
  },
  strict,
)
export type ManagerReplica = Static<typeof ManagerReplica>

/** How the manager itself is doing. `frozen` says why deletions wait for a person (the mass-deletion breaker). */
export const ManagerStatus = Type.Object(
  {
    instance: Type.String(),
    platform: Type.String(),
    capabilities: Type.Array(Type.String()),
    replicas: Type.Array(ManagerReplica, {
      description: 'the leader first; one that has died is listed for ten seconds at most',
    }),
    environments: Type.Integer(),
    queued: Type.Array(TenantName),
    running: Type.Array(TenantName),
    repositories: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          url: Type.String({ description: 'without credentials' }),
          lastListedAt: Type.Union([Instant, Type.Null()]),
          branches: Type.Integer(),
          error: Type.Union([Type.String(), Type.Null()]),
        },
        strict,
      ),
    ),
    configCenter: Type.Union([
      Type.Literal('NOT_READY'),
      Type.Literal('READY'),
      Type.Literal('STALE'),
      Type.Literal('ERROR'),
    ]),
    frozen: Type.Union([
      Type.Null(),
      Type.Object(
        { since: Instant, reason: Type.String(), wouldDelete: Type.Array(TenantName), approvalId: Type.String() },
        strict,
      ),
    ]),
    orphans: Type.Array(
      Type.Object(
        { kind: Type.String(), id: Type.String(), environment: Type.Union([Type.String(), Type.Null()]) },
        strict,
      ),
    ),
  },
  { $id: 'ManagerStatus', additionalProperties: false },
)
export type ManagerStatus = Static<typeof ManagerStatus>
