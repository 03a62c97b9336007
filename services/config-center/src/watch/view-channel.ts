import type { StoreRevision } from '@tributary/store'
import { Channel } from './channel.js'
import type { DeltaBudget } from './delta-log.js'
import type { KeyedItems } from './keyed-items.js'
import { RevisionBody } from './revision-body.js'

/** A view's identity and content. `shared` is changed by the registry for all views of the tenant at once. */
export interface ViewChannelOptions {
  readonly tenant: string
  /** The service whose config document the view has; null: all documents. */
  readonly service: string | null
  /** The view of the instances that a gray release of the service reaches. Default false. */
  readonly gray?: boolean
  readonly shared: KeyedItems
  readonly config: KeyedItems
  readonly revision: StoreRevision
  readonly budget: DeltaBudget
}

/** The resolved view of a tenant. */
export class ViewChannel extends Channel {
  readonly kind = 'view'
  readonly tenant: string
  readonly service: string | null
  readonly gray: boolean
  /** The `config/…` items. */
  readonly config: KeyedItems
  #body: RevisionBody | undefined

  constructor(options: ViewChannelOptions) {
    super({ parts: [options.shared, options.config], revision: options.revision, budget: options.budget })
    this.tenant = options.tenant
    this.service = options.service
    this.gray = options.gray ?? false
    this.config = options.config
  }

  /** The view as JSON text of a `ResolvedView`; shared, so nobody may change it. `storeRevision` is the catalog's current one. */
  body(storeRevision: StoreRevision): Buffer {
    this.#body ??= this.#createBody()
    return this.#body.at(storeRevision)
  }

  protected onChanged(): void {
    this.#body = undefined
  }

  #createBody(): RevisionBody {
    const members = { chain: '[]', service: [] as string[], config: [] as string[] }
    for (const [key, { json }] of this.items()) {
      const [kind, name] = splitKey(key)
      if (kind === 'chain') members.chain = json
      else if (kind === 'service') members.service.push(`${JSON.stringify(name)}:${json}`)
      else members.config.push(`${JSON.stringify(name)}:${json}`)
    }
    const names = `"tenant":${JSON.stringify(this.tenant)},"service":${JSON.stringify(this.service)}`
    return new RevisionBody(
      `{${names},"chain":${members.chain},"storeRevision":"`,
      `","hash":"${this.hash}","services":{${members.service.join(',')}},"config":{${members.config.join(',')}}}`,
    )
  }
}

function splitKey(key: string): readonly [string, string] {
  const slash = key.indexOf('/')
  return slash < 0 ? [key, ''] : [key.slice(0, slash), key.slice(slash + 1)]
}
