import type { Explanation } from '@tributary/contract'
import { explainDocument } from '../domain/explain-document.js'
import { explainService } from '../domain/explain-service.js'
import { parsePointer } from '../domain/json-pointer.js'
import { getTenantRecord, readCatalog, type OperationContext } from './operation-context.js'

/** What is to be explained: a service, or with `path` (JSON Pointer) a place of its merged document. */
export interface ExplainQuery {
  readonly tenant: string
  readonly service: string
  readonly path?: string
}

/**
 * Why a tenant sees what it sees: everything in its chain that has to do with it, who set it, when, and what shadows what.
 * @throws AppError `TENANT_NOT_FOUND`, `INVALID_REQUEST` for a path that is no JSON Pointer
 */
export async function explain(
  context: OperationContext,
  { tenant, service, path }: ExplainQuery,
): Promise<Explanation> {
  const place = path === undefined ? undefined : { tenant, service, path: parsePointer(path) }
  const catalog = await readCatalog(context)
  getTenantRecord(catalog, tenant)
  return place === undefined ? explainService(catalog, tenant, service) : explainDocument(catalog, place)
}
