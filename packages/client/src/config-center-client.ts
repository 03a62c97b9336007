import type {
  AppliedReport,
  ConfigDocument,
  Convergence,
  CreatedToken,
  CreateToken,
  Difference,
  DocumentData,
  EntrySpec,
  Explanation,
  HistoryRecord,
  InstanceLease,
  RegisterInstance,
  ResolvedView,
  RollbackRequest,
  RouteTable,
  ServiceEntry,
  Subscription,
  Tenant,
  TenantSpec,
  TokenInfo,
  TransactionRequest,
  WriteResult,
} from '@tributary/contract'
import { createHttpCaller, type ClientOptions } from './http.js'

/** What every write may say besides its content. */
export interface WriteOptions {
  /** Precondition; "0": must not exist. 409 `REVISION_CONFLICT` with the current state otherwise. */
  readonly expectedRevision?: string
  readonly reason?: string
  readonly runId?: string
  /** Wait until every live affected subscriber has applied the write, at most this long; see `WriteResult.convergence`. */
  readonly waitMs?: number
  readonly signal?: AbortSignal
}

/** Options of a call that only reads. */
export interface ReadOptions {
  readonly signal?: AbortSignal
}

/** The config center's public API, typed. Every method rejects with `AppError` carrying the server's code. */
export type ConfigCenterClient = ReturnType<typeof createConfigCenterClient>

/** Makes a client of the config center. It holds no connection and needs no closing. */
export function createConfigCenterClient(options: ClientOptions) {
  const http = createHttpCaller(options)
  const tenant = (name: string, rest = ''): string => `/v1/tenants/${encodeURIComponent(name)}${rest}`
  const entry = (name: string, service: string): string => tenant(name, `/entries/${encodeURIComponent(service)}`)
  const document = (name: string, service: string): string => tenant(name, `/documents/${encodeURIComponent(service)}`)
  const write = ({ signal, ...query }: WriteOptions, body?: unknown) => ({
    query,
    signal,
    extraTimeoutMs: query.waitMs ?? 0,
    ...(body === undefined ? {} : { body }),
  })

  return {
    listTenants: (read: ReadOptions = {}) =>
      http.call<{ storeRevision: string; tenants: Tenant[] }>('GET', '/v1/tenants', read),
    getTenant: (name: string, read: ReadOptions = {}) => http.call<Tenant>('GET', tenant(name), read),
    applyTenant: (name: string, spec: TenantSpec, options: WriteOptions = {}) =>
      http.call<WriteResult>('PUT', tenant(name), write(options, spec)),
    deleteTenant: (
      name: string,
      { dependents, ...options }: WriteOptions & { dependents?: 'refuse' | 'reparent' } = {},
    ) => {
      const call = write(options)
      return http.call<WriteResult>('DELETE', tenant(name), { ...call, query: { ...call.query, dependents } })
    },

    listEntries: (name: string, read: ReadOptions = {}) =>
      http.call<{ storeRevision: string; entries: ServiceEntry[] }>('GET', tenant(name, '/entries'), read),
    getEntry: (name: string, service: string, read: ReadOptions = {}) =>
      http.call<ServiceEntry>('GET', entry(name, service), read),
    applyEntry: (name: string, service: string, spec: EntrySpec, options: WriteOptions = {}) =>
      http.call<WriteResult>('PUT', entry(name, service), write(options, spec)),
    maskEntry: (name: string, service: string, options: WriteOptions = {}) =>
      http.call<WriteResult>('PUT', `${entry(name, service)}/mask`, write(options)),
    deleteEntry: (name: string, service: string, options: WriteOptions = {}) =>
      http.call<WriteResult>('DELETE', entry(name, service), write(options)),
    registerInstance: (name: string, service: string, instance: string, body: RegisterInstance) =>
      http.call<InstanceLease>('PUT', `${entry(name, service)}/instances/${encodeURIComponent(instance)}`, { body }),
    deregisterInstance: (name: string, service: string, instance: string) =>
      http.call<WriteResult>('DELETE', `${entry(name, service)}/instances/${encodeURIComponent(instance)}`),

    listDocuments: (name: string, read: ReadOptions = {}) =>
      http.call<{ storeRevision: string; documents: ConfigDocument[] }>('GET', tenant(name, '/documents'), read),
    getDocument: (name: string, service: string, read: ReadOptions = {}) =>
      http.call<ConfigDocument>('GET', document(name, service), read),
    applyDocument: (name: string, service: string, data: DocumentData, options: WriteOptions = {}) =>
      http.call<WriteResult>('PUT', document(name, service), write(options, data)),
    patchDocument: (name: string, service: string, patch: DocumentData, options: WriteOptions = {}) =>
      http.call<WriteResult>('PATCH', document(name, service), write(options, patch)),
    deleteDocument: (name: string, service: string, options: WriteOptions = {}) =>
      http.call<WriteResult>('DELETE', document(name, service), write(options)),
    transact: (body: TransactionRequest, options: Pick<WriteOptions, 'waitMs' | 'signal'> = {}) =>
      http.call<WriteResult>('POST', '/v1/transactions', write(options, body)),

    getView: (name: string, { service, signal }: ReadOptions & { service?: string } = {}) =>
      http.call<ResolvedView>('GET', tenant(name, '/view'), { query: { service }, signal }),
    getRouteTable: (name: string, read: ReadOptions = {}) =>
      http.call<RouteTable>('GET', tenant(name, '/routes'), read),
    explain: (name: string, query: { service: string; path?: string }, read: ReadOptions = {}) =>
      http.call<Explanation>('GET', tenant(name, '/explain'), { ...read, query }),

    history: (
      name: string,
      query: { limit?: number; before?: string; service?: string } = {},
      read: ReadOptions = {},
    ) =>
      http.call<{ storeRevision: string; records: HistoryRecord[] }>('GET', tenant(name, '/history'), {
        ...read,
        query,
      }),
    diff: (
      name: string,
      query: { fromRevision: string; toRevision?: string } | { against: string },
      read: ReadOptions = {},
    ) =>
      http.call<{ storeRevision: string; differences: Difference[] }>('GET', tenant(name, '/diff'), { ...read, query }),
    rollback: (name: string, body: RollbackRequest, options: Pick<WriteOptions, 'waitMs' | 'signal' | 'runId'> = {}) =>
      http.call<WriteResult>('POST', tenant(name, '/rollback'), write(options, body)),

    listSubscriptions: (query: { tenant?: string } = {}, read: ReadOptions = {}) =>
      http.call<{ storeRevision: string; subscriptions: Subscription[] }>('GET', '/v1/subscriptions', {
        ...read,
        query,
      }),
    reportApplied: (subscriptionId: string, body: AppliedReport) =>
      http.call<undefined>('POST', `/v1/subscriptions/${encodeURIComponent(subscriptionId)}/applied`, { body }),
    convergence: (query: { revision: string; tenant?: string; timeoutMs?: number }, read: ReadOptions = {}) =>
      http.call<Convergence>('GET', '/v1/convergence', { ...read, query, extraTimeoutMs: query.timeoutMs ?? 0 }),

    createToken: (body: CreateToken) => http.call<CreatedToken>('POST', '/v1/tokens', { body }),
    listTokens: (read: ReadOptions = {}) =>
      http.call<{ storeRevision: string; tokens: TokenInfo[] }>('GET', '/v1/tokens', read),
    tokenSelf: (read: ReadOptions = {}) => http.call<TokenInfo>('GET', '/v1/tokens/self', read),
    revokeToken: (tokenId: string) => http.call<undefined>('DELETE', `/v1/tokens/${encodeURIComponent(tokenId)}`),
  }
}
