import type {
  DeltaFrame,
  Endpoint,
  HeartbeatFrame,
  HelloFrame,
  InstanceLease,
  ProbeAnswer,
  ProbeHop,
  ResolvedService,
  ResumedFrame,
  RouteEntry,
  SnapshotFrame,
  StreamChange,
  StreamItem,
} from '@tributary/contract'
import {
  COMMIT_SHA_PATTERN,
  INSTANCE_ID_PATTERN,
  SERVICE_NAME_PATTERN,
  STORE_REVISION_PATTERN,
  TENANT_NAME_PATTERN,
  VIEW_HASH_PATTERN,
} from '@tributary/contract/light'
import {
  isAnything,
  isInteger,
  isNumber,
  isText,
  listOf,
  mapOf,
  nullOr,
  objectOf,
  oneOf,
  textLike,
  textOf,
  type Guard,
} from './guard.js'

// What the SDK reads from the network, checked by hand: the schemas of the contract say the same, but building and compiling them takes
// most of the time that a service needs to start. A test holds the two together.

/** `TenantName` of the contract. */
export const isTenantName = textLike(TENANT_NAME_PATTERN)
/** `ServiceName` of the contract. */
export const isServiceName = textLike(SERVICE_NAME_PATTERN)
/** `InstanceId` of the contract. */
export const isInstanceId = textLike(INSTANCE_ID_PATTERN)
/** `StoreRevisionText` of the contract. */
export const isStoreRevision = textLike(STORE_REVISION_PATTERN)
/** `ViewHash` of the contract. */
export const isViewHash = textLike(VIEW_HASH_PATTERN)
const isCommitSha = textLike(COMMIT_SHA_PATTERN)

const MAX_PORT = 65_535
const isPort = (value: unknown): value is number => isInteger(value) && value >= 1 && value <= MAX_PORT

/** An address of a service. */
export const isEndpoint: Guard<Endpoint> = objectOf<Endpoint>({
  name: textOf(1, 63),
  protocol: oneOf('http', 'https', 'grpc', 'tcp'),
  host: textOf(1, 253),
  port: isPort,
})

/** An item `service/<service>` of the view. */
export const isResolvedService: Guard<ResolvedService> = objectOf<ResolvedService>(
  {
    state: oneOf('own', 'inherited', 'masked'),
    owner: isTenantName,
    endpoints: listOf(isEndpoint),
    version: isText,
    commitSha: isCommitSha,
    metadata: mapOf(isText),
  },
  ['version', 'commitSha', 'metadata'],
)

/** An item `entry/<tenant>/<service>` of the route table. */
export const isRouteEntry: Guard<RouteEntry> = objectOf<RouteEntry>({
  state: oneOf('present', 'masked'),
  endpoints: listOf(isEndpoint),
})

/** An item `tenant/<tenant>` of the route table. */
export const isTenantItem = objectOf<{ base: string | null }>({ base: nullOr(isTenantName) })

/** The item `chain` of the view. */
export const isChain = listOf(isTenantName)

/** The data of each frame of the stream; a reason of `goodbye` that is not known is still a goodbye. */
export const frames = {
  hello: objectOf<HelloFrame>({
    subscriptionId: isText,
    serverId: isText,
    storeRevision: isStoreRevision,
    heartbeatMs: isInteger,
    reconnectWindowMs: isInteger,
  }),
  snapshot: objectOf<SnapshotFrame>({
    storeRevision: isStoreRevision,
    hash: isViewHash,
    items: listOf(objectOf<StreamItem>({ key: isText, value: isAnything })),
  }),
  delta: objectOf<DeltaFrame>({
    from: isStoreRevision,
    to: isStoreRevision,
    hash: isViewHash,
    changes: (value): value is StreamChange[] => isChanges(value) && value.length > 0,
  }),
  resumed: objectOf<ResumedFrame>({ storeRevision: isStoreRevision, hash: isViewHash }),
  heartbeat: objectOf<HeartbeatFrame>({ storeRevision: isStoreRevision }),
  goodbye: objectOf<{ reason: string; reconnectWindowMs: number }>({ reason: isText, reconnectWindowMs: isInteger }),
} as const

const isChanges = listOf(objectOf<StreamChange>({ key: isText, value: isAnything }))

/** The answer to a registration under a lease. */
export const isInstanceLease: Guard<InstanceLease> = objectOf<InstanceLease>({
  storeRevision: isStoreRevision,
  ttlSeconds: isNumber,
})

const MAX_INSTANCE_CHARS = 128
const MAX_PROBE_ERROR_CHARS = 1_024

/** One level of what a service answers a probe with. */
export const isProbeAnswer = objectOf<
  Omit<ProbeAnswer, 'next'> & { next: (Omit<ProbeHop, 'answer'> & { answer: unknown }) | null }
>({
  service: isServiceName,
  tenant: isTenantName,
  instance: textOf(0, MAX_INSTANCE_CHARS),
  contextTenant: nullOr(isTenantName),
  next: nullOr(
    objectOf<Omit<ProbeHop, 'answer'> & { answer: unknown }>({
      to: isServiceName,
      owner: nullOr(isTenantName),
      answer: isAnything,
      error: nullOr(textOf(0, MAX_PROBE_ERROR_CHARS)),
    }),
  ),
})
