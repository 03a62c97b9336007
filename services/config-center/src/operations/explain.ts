import type { Explanation } from '@tributary/contract'
import { describeGray } from '../domain/describe.js'
import { explainDocument } from '../domain/explain-document.js'
import { explainService } from '../domain/explain-service.js'
import { isInGray } from '../domain/gray-release.js'
import { parsePointer } from '../domain/json-pointer.js'
import { getTenantRecord, readCatalog, type OperationContext } from './operation-context.js'

/** What is to be explained: a service, or with `path` (JSON Pointer) a place of its merged document. */
export interface ExplainQuery {
  readonly tenant: string
  readonly service: string
  readonly path?: string
  /** As this instance of the service sees it. Default: one that no gray release reaches. */
  readonly instance?: string
}

/**
 * Why a tenant sees what it sees: everything in its chain that has to do with it, who set it, when, and what shadows what.
 * @throws AppError `TENANT_NOT_FOUND`, `INVALID_REQUEST` for a path that is no JSON Pointer
 */
export async function explain(
  context: OperationContext,
  { tenant, service, path, instance = '' }: ExplainQuery,
): Promise<Explanation> {
  const place = path === undefined ? undefined : { tenant, service, path: parsePointer(path) }
  const catalog = await readCatalog(context)
  getTenantRecord(catalog, tenant)
  if (place === undefined) return explainService(catalog, tenant, service)
  const gray = isInGray(catalog, { tenant, service, instance })
  const release = catalog.gray(tenant, service)
  const explanation = explainDocument(catalog, { ...place, gray })
  return release === undefined ? explanation : { ...explanation, gray: describeGray(release) }
}
