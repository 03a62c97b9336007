import type { CreatedToken, CreateToken, TokenInfo } from '@tributary/contract'
import type { Mutation, TransactRequest } from '@tributary/store'
import type { CatalogReader } from '../domain/catalog.js'
import { headKey, tenantKey, tokenKey } from '../domain/keys.js'
import { SYSTEM_HISTORIES } from '../domain/system-history.js'
import { failure } from '../errors.js'
import type { VouchedWorkload } from '../ports/workload-identity.js'
import type { StoredToken, TokenRecord } from '../tokens/token-registry.js'
import { newToken, type TokenParts } from '../tokens/token-text.js'
import { commitPlan } from './commit-plan.js'
import { getTenantRecord, type OperationContext } from './operation-context.js'
import { recordToken, type TokenWriter } from './record-token.js'

const MILLISECONDS = 1_000

/**
 * Makes a token. Its text is in the answer and nowhere else; the store keeps its hash. The new token works on this replica when this
 * resolves.
 * @throws AppError `TENANT_NOT_FOUND`, `INVALID_REQUEST` (a tenant is required for, and only for, the role tenant), and as `commitPlan`
 */
export async function createToken(
  context: OperationContext,
  request: CreateToken,
  by: TokenWriter,
): Promise<CreatedToken> {
  checkTenant(request)
  const { token, ...parts } = newToken()
  const stored = storedToken(request, parts, context.clock.now())
  await commitPlan(context, {
    tenants: [SYSTEM_HISTORIES.tokens, ...(request.tenant === undefined ? [] : [request.tenant])],
    plan: (catalog) => {
      const { compares, mutations } = planToken(catalog, parts.tokenId, stored)
      const record = recordToken(context, catalog, { tokenId: parts.tokenId, token: stored, did: 'created', by })
      return { compares: [...compares, ...record.compares], mutations: [...mutations, ...record.mutations] }
    },
  })
  return { token, info: describeToken({ ...stored, tokenId: parts.tokenId, revision: 0n }) }
}

/** A token as the API shows it. */
export function describeToken(record: TokenRecord): TokenInfo {
  const { tokenId, name, role, tenant, createdAt, expiresAt } = record
  return {
    tokenId,
    name,
    role,
    ...(tenant === undefined ? {} : { tenant }),
    createdAt: new Date(createdAt).toISOString(),
    ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
  }
}

/** The token of a workload as the API shows it. */
export function describeWorkload(workload: VouchedWorkload): TokenInfo {
  const { workloadId, name, role, tenant, issuedAt, expiresAt } = workload
  return {
    tokenId: workloadId,
    name,
    role,
    ...(tenant === undefined ? {} : { tenant }),
    createdAt: new Date(issuedAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
  }
}

/**
 * A tenant's token moves the tenant's head, as every write to a tenant does: a deletion that is under way then fails and is planned
 * again with this token among those that go.
 */
function planToken(catalog: CatalogReader, tokenId: string, stored: StoredToken): TransactRequest {
  const { tenant } = stored
  const put: Mutation = { kind: 'put', key: tokenKey(tokenId), value: JSON.stringify(stored) }
  const absent = { select: { key: tokenKey(tokenId) }, target: 'version', op: '=', value: 0n } as const
  if (tenant === undefined) return { compares: [absent], mutations: [put] }
  const { revision } = getTenantRecord(catalog, tenant)
  return {
    compares: [
      absent,
      { select: { key: tenantKey(tenant) }, target: 'modRevision', op: '=', value: revision },
      { select: { key: headKey(tenant) }, target: 'modRevision', op: '=', value: catalog.head(tenant) },
    ],
    mutations: [put, { kind: 'put', key: headKey(tenant), value: '{}' }],
  }
}

/** A new token as the store keeps it. */
export function storedToken(
  request: CreateToken,
  { secretHash }: Pick<TokenParts, 'secretHash'>,
  now: number,
): StoredToken {
  const { name, role, tenant, expiresInSeconds } = request
  return {
    name,
    role,
    ...(tenant === undefined ? {} : { tenant }),
    secretHash,
    createdAt: now,
    ...(expiresInSeconds === undefined ? {} : { expiresAt: now + expiresInSeconds * MILLISECONDS }),
  }
}

function checkTenant({ role, tenant }: CreateToken): void {
  if ((role === 'tenant') === (tenant !== undefined)) return
  const rule = role === 'tenant' ? 'is required for the role tenant' : `does not go with the role ${role}`
  throw failure('INVALID_REQUEST', `The token was not made: body/tenant ${rule}.`, {
    details: {
      in: 'body',
      violations: [{ field: '/tenant', type: tenant === undefined ? 'absent' : 'string', rule }],
    },
  })
}
