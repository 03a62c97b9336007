import type {
  ConfigDocument,
  ConfigSchema,
  Difference,
  DocumentData,
  Explanation,
  GrayImpact,
  GrayRelease,
  GrayReleaseSpec,
  HistoryRecord,
  ImpactRequest,
  ReplicaList,
  ResolvedView,
  Subscription,
  Tenant,
  WriteImpact,
  WriteResult,
} from '@tributary/contract'
import { ApiFailure } from './api-failure.js'
import { request } from './request.js'

/** The config center's API, through the env-manager (docs/adr/0015). */
const tenantPath = (tenant: string): string => `/v1/config/tenants/${encodeURIComponent(tenant)}`
const documentPath = (tenant: string, service: string): string =>
  `${tenantPath(tenant)}/documents/${encodeURIComponent(service)}`
/** How long a write waits for its subscribers, so that the page can say who has it. */
const WAIT_MS = 1500

export const listTenants = async (signal: AbortSignal): Promise<readonly Tenant[]> =>
  (await request<{ tenants: Tenant[] }>({ path: '/v1/config/tenants', signal })).tenants

export const listDocuments = async (tenant: string, signal?: AbortSignal): Promise<readonly ConfigDocument[]> =>
  (
    await request<{ documents: ConfigDocument[] }>({
      path: `${tenantPath(tenant)}/documents`,
      ...(signal === undefined ? {} : { signal }),
    })
  ).documents

/** A tenant's own document; undefined: it has none of its own, which is no failure. */
export const findDocument = async (
  tenant: string,
  service: string,
  signal?: AbortSignal,
): Promise<ConfigDocument | undefined> =>
  (await listDocuments(tenant, signal)).find((document) => document.service === service)

export const getView = (tenant: string, signal: AbortSignal): Promise<ResolvedView> =>
  request({ path: `${tenantPath(tenant)}/view`, signal })

/** Who sets what a tenant sees at a path (JSON Pointer) of a service's config. */
export const explainConfig = (
  tenant: string,
  at: { readonly service: string; readonly path: string },
  signal?: AbortSignal,
): Promise<Explanation> =>
  request({ path: `${tenantPath(tenant)}/explain`, query: at, ...(signal === undefined ? {} : { signal }) })

export const listHistory = async (
  tenant: string,
  query: { readonly service?: string | undefined; readonly before?: string | undefined; readonly limit: number },
  signal?: AbortSignal,
): Promise<readonly HistoryRecord[]> =>
  (
    await request<{ records: HistoryRecord[] }>({
      path: `${tenantPath(tenant)}/history`,
      query,
      ...(signal === undefined ? {} : { signal }),
    })
  ).records

export const diffTenants = async (
  tenant: string,
  against: string,
  signal: AbortSignal,
): Promise<readonly Difference[]> =>
  (await request<{ differences: Difference[] }>({ path: `${tenantPath(tenant)}/diff`, query: { against }, signal }))
    .differences

/** A write of a document. `expectedRevision`: "0" when there was none. */
export interface DocumentWrite {
  readonly tenant: string
  readonly service: string
  readonly expectedRevision: string
  readonly reason: string
  /** Also when resolved documents would break their schema. */
  readonly force: boolean
}

export const putDocument = (write: DocumentWrite, data: DocumentData): Promise<WriteResult> =>
  request({
    method: 'PUT',
    path: documentPath(write.tenant, write.service),
    query: queryOf(write),
    body: data,
  })

export const removeDocument = (write: DocumentWrite): Promise<WriteResult> =>
  request({ method: 'DELETE', path: documentPath(write.tenant, write.service), query: queryOf(write) })

function queryOf({ expectedRevision, reason, force }: DocumentWrite): Readonly<Record<string, string | number>> {
  return {
    expectedRevision,
    waitMs: WAIT_MS,
    ...(reason === '' ? {} : { reason }),
    ...(force ? { schema: 'warn' } : {}),
  }
}

export const rollBackDocument = (
  tenant: string,
  body: { readonly toRevision: string; readonly service: string; readonly reason: string },
): Promise<WriteResult> =>
  request({ method: 'POST', path: `${tenantPath(tenant)}/rollback`, body: { ...body, scope: 'documents' } })

/** What a write would do, without doing it. */
export const tryWrite = (body: ImpactRequest, signal: AbortSignal): Promise<WriteImpact> =>
  request({ method: 'POST', path: '/v1/config/impact', body, signal })

/** The schema that a tenant's config of a service is checked by; undefined: none. */
export const findSchema = (tenant: string, service: string, signal: AbortSignal): Promise<ConfigSchema | undefined> =>
  unlessAbsent(request({ path: `${tenantPath(tenant)}/schemas/${encodeURIComponent(service)}`, signal }))

const grayPath = (tenant: string, service: string): string =>
  `${tenantPath(tenant)}/gray-releases/${encodeURIComponent(service)}`

/** The gray release of a document that is under way; undefined: there is none, which is no failure. */
export const findGrayRelease = async (
  tenant: string,
  service: string,
  signal: AbortSignal,
): Promise<GrayRelease | undefined> =>
  (await request<{ releases: GrayRelease[] }>({ path: `${tenantPath(tenant)}/gray-releases`, signal })).releases.find(
    (release) => release.service === service,
  )

/** What a gray release would bring to whom, without beginning it. */
export const previewGrayRelease = (
  { tenant, service }: { readonly tenant: string; readonly service: string },
  spec: GrayReleaseSpec,
  signal: AbortSignal,
): Promise<GrayImpact> => request({ method: 'POST', path: `${grayPath(tenant, service)}/preview`, body: spec, signal })

/** Gives a change of a document to some instances first, or changes what or whom. */
export const applyGrayRelease = (tenant: string, service: string, spec: GrayReleaseSpec): Promise<WriteResult> =>
  request({ method: 'PUT', path: grayPath(tenant, service), query: { waitMs: WAIT_MS }, body: spec })

/** Gives it to all instances. */
export const promoteGrayRelease = (tenant: string, service: string): Promise<WriteResult> =>
  request({ method: 'POST', path: `${grayPath(tenant, service)}/promote`, query: { waitMs: WAIT_MS } })

/** Takes it back from those that have it. */
export const abortGrayRelease = (tenant: string, service: string): Promise<WriteResult> =>
  request({ method: 'DELETE', path: grayPath(tenant, service), query: { waitMs: WAIT_MS } })

/** The replicas of the config center, and how far each has followed the store. */
export const listReplicas = (signal: AbortSignal): Promise<ReplicaList> =>
  request({ path: '/v1/config/replicas', signal })

export const listSubscriptions = async (signal: AbortSignal): Promise<readonly Subscription[]> =>
  (await request<{ subscriptions: Subscription[] }>({ path: '/v1/config/subscriptions', signal })).subscriptions

/** What is not there is no failure. */
async function unlessAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 404) return undefined
    throw error
  }
}
