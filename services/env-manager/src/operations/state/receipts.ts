import type { Receipt } from '@tributary/contract'
import type { RevisionedStore } from '@tributary/store'
import { listJson } from './json-store.js'
import { stateKeys } from './keys.js'

/** Receipts of a name's generations, newest first. They outlive the environment. */
export async function listReceipts(store: RevisionedStore, environment: string): Promise<readonly Receipt[]> {
  const stored = await listJson<Receipt>(store, stateKeys.receiptsOf(environment))
  return stored.map(({ value }) => value).reverse()
}

/** The generation that an environment of this name gets when it is made now. */
export async function nextGeneration(store: RevisionedStore, environment: string): Promise<number> {
  const [newest] = await listReceipts(store, environment)
  return (newest?.generation ?? 0) + 1
}
