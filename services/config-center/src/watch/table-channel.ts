import type { StoreRevision } from '@tributary/store'
import { Channel, type CatchUp, type ChannelCursor } from './channel.js'
import type { DeltaBudget } from './delta-log.js'
import type { Frame } from './frame.js'
import { RevisionBody } from './revision-body.js'
import type { TableItems } from './table-items.js'

/** A table's identity and content. `table` is changed by the registry. */
export interface TableChannelOptions {
  readonly root: string
  readonly table: TableItems
  readonly revision: StoreRevision
  readonly budget: DeltaBudget
}

/** The route table of the tree below one root. */
export class TableChannel extends Channel {
  readonly kind = 'routes'
  readonly root: string
  readonly table: TableItems
  #body: RevisionBody | undefined

  constructor(options: TableChannelOptions) {
    super({ parts: [options.table.items], revision: options.revision, budget: options.budget })
    this.root = options.root
    this.table = options.table
  }

  /**
   * As `catchUp`, for a subscriber of `tenant`. Before the tenant came into this tree its subscribers followed another table, so
   * a revision of that time says nothing about this one.
   */
  catchUpTenant(tenant: string, cursor: ChannelCursor, storeRevision: StoreRevision): CatchUp {
    const joinedAt = this.table.joinedAt(tenant)
    const after = joinedAt === undefined || (cursor.after ?? 0n) < joinedAt ? undefined : cursor.after
    return this.catchUp({ after, hash: cursor.hash }, storeRevision)
  }

  /** As `netSince`, for a subscriber of `tenant`: what it has is of another table when the tenant came into this one's tree later. */
  netSinceOfTenant(tenant: string, after: StoreRevision): Frame | undefined {
    const joinedAt = this.table.joinedAt(tenant)
    return joinedAt === undefined || after < joinedAt ? this.snapshot(this.changedAt) : this.netSince(after)
  }

  /** The table as JSON text of a `RouteTable`; shared, so nobody may change it. `storeRevision` is the catalog's current one. */
  body(storeRevision: StoreRevision): Buffer {
    this.#body ??= this.#createBody()
    return this.#body.at(storeRevision)
  }

  protected onChanged(): void {
    this.#body = undefined
  }

  #createBody(): RevisionBody {
    const bases = new Map<string, string>()
    const entries = new Map<string, string[]>()
    for (const [key, { json }] of this.items()) {
      const [kind, tenant = '', service = ''] = key.split('/')
      // A tenant's item is {"base":…}; its text without the closing brace is where the entries go on.
      if (kind === 'tenant') bases.set(tenant, json.slice(0, -1))
      else appendTo(entries, tenant, `${JSON.stringify(service)}:${json}`)
    }
    const tenants = [...bases].map(
      ([tenant, base]) => `${JSON.stringify(tenant)}:${base},"entries":{${(entries.get(tenant) ?? []).join(',')}}}`,
    )
    const head = `{"root":${JSON.stringify(this.root)},"storeRevision":"`
    return new RevisionBody(head, `","hash":"${this.hash}","tenants":{${tenants.join(',')}}}`)
  }
}

function appendTo(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}
