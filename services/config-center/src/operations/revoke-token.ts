import type { Mutation } from '@tributary/store'
import { tokenKey } from '../domain/keys.js'
import { SYSTEM_HISTORIES } from '../domain/system-history.js'
import { failure } from '../errors.js'
import type { TokenRecord } from '../tokens/token-registry.js'
import { commitPlan } from './commit-plan.js'
import { readCatalog, type OperationContext } from './operation-context.js'
import { recordToken, type TokenWriter } from './record-token.js'

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

/** Ends a token for good: requests with it are refused and its streams are ended. Idempotent; what is gone already is not recorded. */
export async function revokeToken(context: OperationContext, tokenId: string, by: TokenWriter): Promise<void> {
  await commitPlan(context, {
    tenants: [SYSTEM_HISTORIES.tokens],
    plan: (catalog) => {
      const token = context.tokens.find(tokenId)
      if (token === undefined) return undefined
      const record = recordToken(context, catalog, { tokenId, token, did: 'deleted', by })
      const gone: Mutation = { kind: 'delete', select: { key: tokenKey(tokenId) } }
      return { compares: record.compares, mutations: [gone, ...record.mutations] }
    },
  })
}
