import type {
  AppliedReport,
  CallsReport,
  ConfigAuditRecord,
  ConfigDocument,
  ConfigSchema,
  Convergence,
  CreatedToken,
  CreateToken,
  Difference,
  DocumentData,
  EntrySpec,
  Explanation,
  GrayImpact,
  GrayRelease,
  GrayReleaseSpec,
  HistoryRecord,
  ImpactRequest,
  InstanceLease,
  JsonSchema,
  ObservedCalls,
  ObservedLeak,
  RegisterInstance,
  ReplicaList,
  ResolvedView,
  RollbackRequest,
  RouteTable,
  SchemaMode,
  ServiceEntry,
  Subscription,
  Tenant,
  TenantConfig,
  TenantChanges,
  TenantSpec,
  TokenInfo,
  TransactionRequest,
  WriteImpact,
  WriteResult,
} from '@tributary/contract'
import { createHttpCaller, type CallOptions, type ClientOptions, type HttpCaller, type Query } from './http.js'

/** What every write may say besides its content. */
export interface WriteOptions {
  /** Precondition; "0": must not exist. 409 `REVISION_CONFLICT` with the current state otherwise. */
  readonly expectedRevision?: string
  readonly reason?: string
  readonly runId?: string
  /** What becomes of a write after which config breaks its schema. Default `own`. */
  readonly schema?: SchemaMode
  /** Wait until every live affected subscriber has applied the write, at most this long; see `WriteResult.convergence`. */
  readonly waitMs?: number
  readonly signal?: AbortSignal
}

/** Options of a call that only reads. */
export interface ReadOptions {
  readonly signal?: AbortSignal
}

/** Which records of the audit log. */
export interface ConfigAuditQuery {
  readonly limit?: number
  /** Only older ones: `nextBefore` of the answer before. */
  readonly before?: string
  /** Part of a token's or a person's name, in any case. */
  readonly actor?: string
  readonly tenant?: string
  /** RFC 3339 instant. */
  readonly since?: string
}

/** Names a service entry or a config document (`service` may be `*` for a document). */
export interface ServiceRef {
  readonly tenant: string
  readonly service: string
}

/** The config center's public API, typed. Every method rejects with `AppError` carrying the server's code. */
export type ConfigCenterClient = ReturnType<typeof createConfigCenterClient>

/** Makes a client of the config center. It holds no connection and needs no closing. */
export function createConfigCenterClient(options: ClientOptions) {
  const http = createHttpCaller(options)
  return {
    ...tenantCalls(http),
    ...entryCalls(http),
    ...documentCalls(http),
    ...schemaCalls(http),
    ...grayCalls(http),
    /** The replicas of the config center, and how far each has followed the store. */
    listReplicas: (read: ReadOptions = {}) => http.call<ReplicaList>('GET', '/v1/replicas', read),
    ...portableCalls(http),
    ...readingCalls(http),
    ...historyCalls(http),
    ...subscriptionCalls(http),
    ...tokenCalls(http),
  }
}

const tenantPath = (tenant: string, rest = ''): string => `/v1/tenants/${encodeURIComponent(tenant)}${rest}`
const entryPath = ({ tenant, service }: ServiceRef, rest = ''): string =>
  tenantPath(tenant, `/entries/${encodeURIComponent(service)}${rest}`)
const documentPath = ({ tenant, service }: ServiceRef): string =>
  tenantPath(tenant, `/documents/${encodeURIComponent(service)}`)

function writeCall({ signal, ...query }: WriteOptions, body?: unknown): CallOptions & { readonly query: Query } {
  return { query: { ...query }, signal, extraTimeoutMs: query.waitMs ?? 0, ...(body === undefined ? {} : { body }) }
}

function tenantCalls(http: HttpCaller) {
  return {
    listTenants: (read: ReadOptions = {}) =>
      http.call<{ storeRevision: string; tenants: Tenant[] }>('GET', '/v1/tenants', read),
    getTenant: (tenant: string, read: ReadOptions = {}) => http.call<Tenant>('GET', tenantPath(tenant), read),
    applyTenant: (tenant: string, spec: TenantSpec, options: WriteOptions = {}) =>
      http.call<WriteResult>('PUT', tenantPath(tenant), writeCall(options, spec)),
    deleteTenant: (
      tenant: string,
      { dependents, ...options }: WriteOptions & { readonly dependents?: 'refuse' | 'reparent' } = {},
    ) => {
      const call = writeCall(options)
      return http.call<WriteResult>('DELETE', tenantPath(tenant), { ...call, query: { ...call.query, dependents } })
    },
  }
}

function entryCalls(http: HttpCaller) {
  return {
    listEntries: (tenant: string, read: ReadOptions = {}) =>
      http.call<{ storeRevision: string; entries: ServiceEntry[] }>('GET', tenantPath(tenant, '/entries'), read),
    getEntry: (ref: ServiceRef, read: ReadOptions = {}) => http.call<ServiceEntry>('GET', entryPath(ref), read),
    applyEntry: (ref: ServiceRef, spec: EntrySpec, options: WriteOptions = {}) =>
      http.call<WriteResult>('PUT', entryPath(ref), writeCall(options, spec)),
    maskEntry: (ref: ServiceRef, options: WriteOptions = {}) =>
      http.call<WriteResult>('PUT', entryPath(ref, '/mask'), writeCall(options)),
    deleteEntry: (ref: ServiceRef, options: WriteOptions = {}) =>
      http.call<WriteResult>('DELETE', entryPath(ref), writeCall(options)),
    registerInstance: (ref: ServiceRef & { readonly instance: string }, body: RegisterInstance) =>
      http.call<InstanceLease>('PUT', entryPath(ref, `/instances/${encodeURIComponent(ref.instance)}`), { body }),
    deregisterInstance: (ref: ServiceRef & { readonly instance: string }) =>
      http.call<WriteResult>('DELETE', entryPath(ref, `/instances/${encodeURIComponent(ref.instance)}`)),
  }
}

function documentCalls(http: HttpCaller) {
  return {
    listDocuments: (tenant: string, read: ReadOptions = {}) =>
      http.call<{ storeRevision: string; documents: ConfigDocument[] }>('GET', tenantPath(tenant, '/documents'), read),
    getDocument: (ref: ServiceRef, read: ReadOptions = {}) => http.call<ConfigDocument>('GET', documentPath(ref), read),
    applyDocument: (ref: ServiceRef, data: DocumentData, options: WriteOptions = {}) =>
      http.call<WriteResult>('PUT', documentPath(ref), writeCall(options, data)),
    patchDocument: (ref: ServiceRef, patch: DocumentData, options: WriteOptions = {}) =>
      http.call<WriteResult>('PATCH', documentPath(ref), writeCall(options, patch)),
    deleteDocument: (ref: ServiceRef, options: WriteOptions = {}) =>
      http.call<WriteResult>('DELETE', documentPath(ref), writeCall(options)),
    transact: (body: TransactionRequest, options: Pick<WriteOptions, 'waitMs' | 'signal' | 'schema'> = {}) =>
      http.call<WriteResult>('POST', '/v1/transactions', writeCall(options, body)),
  }
}

function schemaCalls(http: HttpCaller) {
  const path = ({ tenant, service }: ServiceRef): string =>
    tenantPath(tenant, `/schemas/${encodeURIComponent(service)}`)
  return {
    /** Schemas of the tenant's own copies. */
    listSchemas: (tenant: string, read: ReadOptions = {}) =>
      http.call<{ storeRevision: string; schemas: ConfigSchema[] }>('GET', tenantPath(tenant, '/schemas'), read),
    /** The schema by which the tenant's view of the service is checked. `SCHEMA_NOT_FOUND` when there is none. */
    getSchema: (ref: ServiceRef, read: ReadOptions = {}) => http.call<ConfigSchema>('GET', path(ref), read),
    applySchema: (ref: ServiceRef, schema: JsonSchema, options: WriteOptions = {}) =>
      http.call<WriteResult>('PUT', path(ref), writeCall(options, schema)),
    deleteSchema: (ref: ServiceRef, options: WriteOptions = {}) =>
      http.call<WriteResult>('DELETE', path(ref), writeCall(options)),
    /** What a write would do to every view, without making it. */
    checkImpact: (body: ImpactRequest, { signal, schema }: Pick<WriteOptions, 'signal' | 'schema'> = {}) =>
      http.call<WriteImpact>('POST', '/v1/impact', { query: { schema }, body, signal }),
  }
}

function portableCalls(http: HttpCaller) {
  return {
    /** The tenant's own documents, as a file keeps them. */
    exportConfig: (tenant: string, { signal }: ReadOptions = {}) =>
      http.call<TenantConfig>('GET', tenantPath(tenant, '/export'), { query: { format: 'json' }, signal }),
    /** Makes the tenant's documents what a file says; `prune`: and deletes those that it does not name. */
    importConfig: (
      tenant: string,
      body: TenantConfig,
      { prune, ...options }: Omit<WriteOptions, 'expectedRevision'> & { readonly prune?: boolean } = {},
    ) => {
      const call = writeCall(options, body)
      return http.call<WriteResult>('PUT', tenantPath(tenant, '/import'), { ...call, query: { ...call.query, prune } })
    },
    /** What {@link importConfig} would do. */
    previewImport: (
      tenant: string,
      body: TenantConfig,
      { prune, schema, signal }: Pick<WriteOptions, 'schema' | 'signal'> & { readonly prune?: boolean } = {},
    ) =>
      http.call<WriteImpact>('POST', tenantPath(tenant, '/import/preview'), { query: { prune, schema }, body, signal }),
  }
}

function grayCalls(http: HttpCaller) {
  const path = ({ tenant, service }: ServiceRef, rest = ''): string =>
    tenantPath(tenant, `/gray-releases/${encodeURIComponent(service)}${rest}`)
  return {
    /** Gray releases of the tenant's own documents that are under way. */
    listGrayReleases: (tenant: string, read: ReadOptions = {}) =>
      http.call<{ storeRevision: string; releases: GrayRelease[] }>('GET', tenantPath(tenant, '/gray-releases'), read),
    getGrayRelease: (ref: ServiceRef, read: ReadOptions = {}) => http.call<GrayRelease>('GET', path(ref), read),
    /** What it would bring and to whom, without beginning it. Its `draw` in the spec makes the release reach exactly those. */
    previewGrayRelease: (
      ref: ServiceRef,
      body: GrayReleaseSpec,
      { schema, signal }: Pick<WriteOptions, 'schema' | 'signal'> = {},
    ) => http.call<GrayImpact>('POST', path(ref, '/preview'), { query: { schema }, body, signal }),
    /** Begins one, or changes what it changes or whom it reaches. */
    applyGrayRelease: (ref: ServiceRef, spec: GrayReleaseSpec, options: WriteOptions = {}) =>
      http.call<WriteResult>('PUT', path(ref), writeCall(options, spec)),
    promoteGrayRelease: (ref: ServiceRef, options: WriteOptions = {}) =>
      http.call<WriteResult>('POST', path(ref, '/promote'), writeCall(options)),
    abortGrayRelease: (ref: ServiceRef, options: WriteOptions = {}) =>
      http.call<WriteResult>('DELETE', path(ref), writeCall(options)),
  }
}

function readingCalls(http: HttpCaller) {
  return {
    /** `instance`: as that instance of the service has it, in a gray release too. */
    getView: (
      tenant: string,
      { service, instance, signal }: ReadOptions & { readonly service?: string; readonly instance?: string } = {},
    ) => http.call<ResolvedView>('GET', tenantPath(tenant, '/view'), { query: { service, instance }, signal }),
    getRouteTable: (tenant: string, read: ReadOptions = {}) =>
      http.call<RouteTable>('GET', tenantPath(tenant, '/routes'), read),
    explain: (
      tenant: string,
      query: { readonly service: string; readonly path?: string; readonly instance?: string },
      read: ReadOptions = {},
    ) => http.call<Explanation>('GET', tenantPath(tenant, '/explain'), { ...read, query }),
  }
}

function historyCalls(http: HttpCaller) {
  return {
    history: (
      tenant: string,
      query: { readonly limit?: number; readonly before?: string; readonly service?: string } = {},
      read: ReadOptions = {},
    ) =>
      http.call<{ storeRevision: string; records: HistoryRecord[] }>('GET', tenantPath(tenant, '/history'), {
        ...read,
        query,
      }),
    diff: (
      tenant: string,
      query: { readonly fromRevision: string; readonly toRevision?: string } | { readonly against: string },
      read: ReadOptions = {},
    ) =>
      http.call<{ storeRevision: string; differences: Difference[] }>('GET', tenantPath(tenant, '/diff'), {
        ...read,
        query: { ...query },
      }),
    /** Writes of all tenants, tokens made and revoked, refused attempts; newest first. Go on while `nextBefore` is not null. */
    audit: (query: ConfigAuditQuery = {}, read: ReadOptions = {}) =>
      http.call<{ storeRevision: string; records: ConfigAuditRecord[]; nextBefore: string | null }>(
        'GET',
        '/v1/audit',
        { ...read, query: { ...query } },
      ),
    rollback: (
      tenant: string,
      body: RollbackRequest,
      options: Pick<WriteOptions, 'waitMs' | 'signal' | 'runId' | 'schema'> = {},
    ) => http.call<WriteResult>('POST', tenantPath(tenant, '/rollback'), writeCall(options, body)),
  }
}

function subscriptionCalls(http: HttpCaller) {
  return {
    listSubscriptions: (query: { readonly tenant?: string } = {}, read: ReadOptions = {}) =>
      http.call<{ storeRevision: string; subscriptions: Subscription[] }>('GET', '/v1/subscriptions', {
        ...read,
        query,
      }),
    reportApplied: (subscriptionId: string, body: AppliedReport) =>
      http.call<undefined>('POST', `/v1/subscriptions/${encodeURIComponent(subscriptionId)}/applied`, { body }),
    reportCalls: (subscriptionId: string, body: CallsReport) =>
      http.call<undefined>('POST', `/v1/subscriptions/${encodeURIComponent(subscriptionId)}/calls`, { body }),
    /** Observed calls of a tenant's requests, of all replicas that answer. */
    getCalls: (tenant: string, read: ReadOptions = {}) =>
      http.call<ObservedCalls>('GET', tenantPath(tenant, '/calls'), read),
    listLeaks: (query: { readonly maxAgeSeconds?: number } = {}, read: ReadOptions = {}) =>
      http.call<{ storeRevision: string; leaks: ObservedLeak[]; unansweredReplicas?: number }>('GET', '/v1/leaks', {
        ...read,
        query,
      }),
    /** Everything in the store at one revision, in pieces of an export; for admins. Whole only when the export's last line says so. */
    backUp: (signal?: AbortSignal) => http.download('/v1/backup', signal === undefined ? {} : { signal }),
    /** Names of tenants that change, from now on; the first message says where that is. Ends when the server does, or with the signal. */
    async *watchChanges(signal: AbortSignal): AsyncIterable<TenantChanges> {
      for await (const { event, data } of http.events('/v1/changes', { signal })) {
        if (event === 'changes') yield JSON.parse(data) as TenantChanges
      }
    },
    convergence: (
      query: { readonly revision: string; readonly tenant?: string; readonly timeoutMs?: number },
      read: ReadOptions = {},
    ) => http.call<Convergence>('GET', '/v1/convergence', { ...read, query, extraTimeoutMs: query.timeoutMs ?? 0 }),
  }
}

function tokenCalls(http: HttpCaller) {
  return {
    createToken: (body: CreateToken) => http.call<CreatedToken>('POST', '/v1/tokens', { body }),
    listTokens: (read: ReadOptions = {}) =>
      http.call<{ storeRevision: string; tokens: TokenInfo[] }>('GET', '/v1/tokens', read),
    tokenSelf: (read: ReadOptions = {}) => http.call<TokenInfo>('GET', '/v1/tokens/self', read),
    revokeToken: (tokenId: string) => http.call<undefined>('DELETE', `/v1/tokens/${encodeURIComponent(tokenId)}`),
  }
}
