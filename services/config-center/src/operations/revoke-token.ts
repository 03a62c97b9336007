import { tokenKey } from '../domain/keys.js'
import { failure } from '../errors.js'
import type { TokenRecord } from '../tokens/token-registry.js'
import { commitPlan } from './commit-plan.js'
import { readCatalog, type OperationContext } from './operation-context.js'

/**
 * The token of an id, without its secret.
 * @throws AppError `TOKEN_NOT_FOUND`
 */
export async function getToken(context: OperationContext, tokenId: string): Promise<TokenRecord> {
  await readCatalog(context)
  const record = context.tokens.find(tokenId)
  if (record !== undefined) return record
  throw failure('TOKEN_NOT_FOUND', `There is no token ${tokenId}; it may have been revoked already.`, {
    details: { tokenId },
  })
}

/** Ends a token for good: requests with it are refused and its streams are ended. Idempotent. */
export async function revokeToken(context: OperationContext, tokenId: string): Promise<void> {
  await commitPlan(context, {
    tenants: [],
    plan: () => ({ compares: [], mutations: [{ kind: 'delete', select: { key: tokenKey(tokenId) } }] }),
  })
}
