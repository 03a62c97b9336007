import type { Principal } from '../domain/access.js'
import { commitChanges } from './commit-changes.js'
import type { CommitResult } from './commit-plan.js'
import { readCatalog, type OperationContext } from './operation-context.js'

/** An instance that leaves. */
export interface InstanceDeparture {
  readonly tenant: string
  readonly service: string
  readonly instance: string
  readonly principal: Principal
}

/**
 * Takes an instance away and ends its lease: subscribers fall back at once. One that is gone already is not an error.
 * @throws AppError `TENANT_NOT_FOUND`, and as `commitChanges`
 */
export async function deregisterInstance(
  context: OperationContext,
  departure: InstanceDeparture,
): Promise<CommitResult> {
  const { principal, ...place } = departure
  const catalog = await readCatalog(context)
  const leaseId = catalog.registrations(place.tenant, place.service).get(place.instance)?.leaseId
  const edits = [{ op: 'deregister-instance', ...place }] as const
  const result = await commitChanges(context, { edits, principal, note: {}, schemaMode: 'warn' })
  if (leaseId !== undefined) await context.store.revokeLease(leaseId)
  return result
}
