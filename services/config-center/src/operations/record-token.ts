import { actorOf, type Principal } from '../domain/access.js'
import type { CatalogReader } from '../domain/catalog.js'
import type { RecordedToken } from '../domain/plan-write.js'
import { recordIn, SYSTEM_HISTORIES } from '../domain/system-history.js'
import type { StoredToken } from '../tokens/token-registry.js'
import type { OperationContext } from './operation-context.js'

/** Who makes or revokes a token; undefined: the config center itself, at its start. */
export type TokenWriter = Principal | undefined

/** What becomes of a token, and by whom. */
export interface TokenChange {
  readonly tokenId: string
  readonly token: StoredToken
  readonly did: RecordedToken['did']
  readonly by: TokenWriter
}

/** What records a token's change in the transaction that makes it. The hash of its secret is no part of the record. */
export function recordToken(
  context: Pick<OperationContext, 'clock'>,
  catalog: CatalogReader,
  { tokenId, token, did, by }: TokenChange,
): ReturnType<typeof recordIn> {
  const { name, role, tenant } = token
  return recordIn(catalog, SYSTEM_HISTORIES.tokens, {
    at: context.clock.now(),
    actor: by === undefined ? 'config center (start)' : actorOf(by),
    ...(by?.onBehalfOf === undefined ? {} : { onBehalfOf: by.onBehalfOf }),
    changes: [],
    tokens: [{ tokenId, name, role, ...(tenant === undefined ? {} : { tenant }), did }],
  })
}
