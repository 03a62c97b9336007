import { readFile } from 'node:fs/promises'
import { STORE_PREFIX, tokenKey } from '../domain/keys.js'
import { failure } from '../errors.js'
import { parseToken } from '../tokens/token-text.js'
import { storedToken } from './create-token.js'
import { commitPlan } from './commit-plan.js'
import type { OperationContext } from './operation-context.js'

/** What became of a token that was given. */
export type Adoption = 'adopted' | 'known' | 'revoked'

/** Stays when the token is revoked, so that it never comes back by a restart. */
const adoptedKey = (tokenId: string): string => `${STORE_PREFIX}adopted/${tokenId}`

/**
 * Makes the admin token that somebody wrote to `file` (a mounted Secret) one of this store, once: a token that was revoked stays so. The file is not
 * written. Concurrent replicas may do it at the same time.
 * @throws AppError `CONFIG_INVALID` when the file holds no token; as `commitPlan`
 */
export async function adoptAdminToken(context: OperationContext, file: string): Promise<Adoption> {
  const parts = parseToken(await readToken(file))
  if (parts === undefined) {
    throw failure('CONFIG_INVALID', `TRIBUTARY_GIVEN_ADMIN_TOKEN_FILE: ${file} holds no token; write trb_<id>_<secret>`)
  }
  const { tokenId } = parts
  const stored = storedToken({ name: 'bootstrap', role: 'admin' }, parts, context.clock.now())
  const { changed } = await commitPlan(context, {
    tenants: [],
    plan: async () => {
      const { entries } = await context.store.range({ select: { key: adoptedKey(tokenId) } })
      if (entries.length > 0) return undefined
      return {
        compares: [adoptedKey(tokenId), tokenKey(tokenId)].map((key) => ({
          select: { key },
          target: 'version',
          op: '=',
          value: 0n,
        })),
        mutations: [
          { kind: 'put', key: tokenKey(tokenId), value: JSON.stringify(stored) },
          { kind: 'put', key: adoptedKey(tokenId), value: '{}' },
        ],
      }
    },
  })
  if (changed) return 'adopted'
  return context.tokens.find(tokenId) === undefined ? 'revoked' : 'known'
}

async function readToken(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (cause) {
    throw failure('CONFIG_INVALID', `TRIBUTARY_GIVEN_ADMIN_TOKEN_FILE: ${file} cannot be read`, { cause })
  }
}
