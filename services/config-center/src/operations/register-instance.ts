import { canonicalJson, type EntrySpec } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import type { StoreLease } from '@tributary/store'
import type { Principal } from '../domain/access.js'
import type { RegistrationRecord } from '../domain/records.js'
import { commitChanges } from './commit-changes.js'
import { readCatalog, type OperationContext } from './operation-context.js'

const MILLISECONDS = 1_000

/** A process that registers itself. */
export interface InstanceRegistration {
  readonly tenant: string
  readonly service: string
  readonly instance: string
  readonly spec: EntrySpec
  readonly ttlSeconds: number
  readonly principal: Principal
}

/** The lease as it was granted. */
export interface GrantedInstance {
  readonly storeRevision: bigint
  readonly ttlSeconds: number
}

/**
 * Registers an instance under a lease of its own, or keeps it alive: with the same spec that is a heartbeat, which writes nothing and
 * is not recorded. When the lease has ended meanwhile, the instance is registered anew. When the lease ends, the instance goes.
 * @throws AppError `TENANT_NOT_FOUND`, `ENTRY_TOO_LARGE`, and as `commitChanges`
 */
export async function registerInstance(
  context: OperationContext,
  registration: InstanceRegistration,
): Promise<GrantedInstance> {
  const { tenant, service, instance, spec, ttlSeconds } = registration
  const catalog = await readCatalog(context)
  const present = catalog.registrations(tenant, service).get(instance)
  const leaseId = present?.leaseId
  const alive = leaseId !== undefined && isTtl(present, ttlSeconds) && (await keepAlive(context, leaseId))
  if (alive && isSpec(present, spec)) return { storeRevision: catalog.storeRevision, ttlSeconds }
  if (alive) return write(context, registration, { leaseId, ttlMs: ttlSeconds * MILLISECONDS })
  return registerUnderNewLease(context, registration, leaseId)
}

async function registerUnderNewLease(
  context: OperationContext,
  registration: InstanceRegistration,
  formerLeaseId: string | undefined,
): Promise<GrantedInstance> {
  const lease = await context.store.grantLease(registration.ttlSeconds * MILLISECONDS)
  try {
    const granted = await write(context, registration, lease)
    // The key has moved to the new lease; the former one holds nothing any more.
    if (formerLeaseId !== undefined) await context.store.revokeLease(formerLeaseId)
    return granted
  } catch (error) {
    // A write of unknown outcome may hold the lease: it then ends by itself, or the next heartbeat finds it.
    if (!isAppError(error, 'WRITE_OUTCOME_UNKNOWN')) await context.store.revokeLease(lease.leaseId)
    throw error
  }
}

async function write(
  context: OperationContext,
  { principal, ...registration }: InstanceRegistration,
  { leaseId, ttlMs }: StoreLease,
): Promise<GrantedInstance> {
  const edit = { op: 'register-instance', ...registration, leaseId } as const
  // A process that runs is where it is, whatever becomes of its config.
  const write = { edits: [edit], principal, note: {}, schemaMode: 'warn' } as const
  const { storeRevision } = await commitChanges(context, write)
  return { storeRevision, ttlSeconds: ttlMs / MILLISECONDS }
}

async function keepAlive(context: OperationContext, leaseId: string): Promise<boolean> {
  try {
    await context.store.keepLeaseAlive(leaseId)
    return true
  } catch (error) {
    if (isAppError(error, 'STORE_LEASE_NOT_FOUND')) return false
    throw error
  }
}

function isTtl(record: RegistrationRecord | undefined, ttlSeconds: number): boolean {
  return record?.stored.state === 'present' && record.stored.ttlSeconds === ttlSeconds
}

function isSpec(record: RegistrationRecord | undefined, spec: EntrySpec): boolean {
  return record?.stored.state === 'present' && canonicalJson(record.stored.spec) === canonicalJson(spec)
}
