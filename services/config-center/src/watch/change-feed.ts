import type { TenantChanges } from '@tributary/contract'
import type { StoreRevision } from '@tributary/store'
import type { CatalogChange } from '../domain/catalog.js'

/** What the feed writes to: it takes text, and says whether it can take more. */
export interface FeedOutput {
  readonly canTakeMore: boolean
  write(text: string): void
}

/**
 * Names the tenants that change, for one reader. What comes while the reader cannot take more is joined into one message, so a slow reader
 * costs no more than one name for each tenant.
 */
export class ChangeFeed {
  readonly #output: FeedOutput
  readonly #waiting = new Set<string>()
  #revision: StoreRevision

  /** Writes where the feed begins. */
  constructor(output: FeedOutput, storeRevision: StoreRevision) {
    this.#output = output
    this.#revision = storeRevision
    this.#send()
  }

  /** To be called after each batch of the catalog. */
  add(changes: readonly Pick<CatalogChange, 'tenant'>[], storeRevision: StoreRevision): void {
    this.#revision = storeRevision
    for (const { tenant } of changes) this.#waiting.add(tenant)
    this.flush()
  }

  /** To be called when the reader can take more. */
  flush(): void {
    if (this.#waiting.size > 0 && this.#output.canTakeMore) this.#send()
  }

  #send(): void {
    const message: TenantChanges = { storeRevision: `${this.#revision}`, tenants: [...this.#waiting].sort() }
    this.#waiting.clear()
    this.#output.write(`event: changes\nid: ${this.#revision}\ndata: ${JSON.stringify(message)}\n\n`)
  }
}
