import type { DocumentData } from '@tributary/contract'
import type { CatalogReader } from './catalog.js'
import { mergeDocuments } from './merge-patch.js'
import { TENANT_WIDE } from './records.js'

/**
 * Merged documents of many tenants of one catalog, each distinct one once: a tenant that adds nothing has the very object of its base,
 * so a thousand of them cost one merge. Values are those of `resolveDocument`. The catalog must not move on while it is used.
 */
export class MergedDocuments {
  readonly #catalog: CatalogReader
  readonly #known = new Map<string, Map<string, DocumentData | undefined>>()

  constructor(catalog: CatalogReader) {
    this.#catalog = catalog
  }

  /** What `chain[0]` sees of a document; undefined when no document contributes. `chain` is that of `chainOf`. */
  get(chain: readonly string[], name: string): DocumentData | undefined {
    return this.#merged(chain, 0, name)
  }

  #merged(chain: readonly string[], position: number, name: string): DocumentData | undefined {
    const tenant = chain[position]
    if (tenant === undefined) return undefined
    const known = this.#of(tenant)
    if (known.has(name)) return known.get(name)
    const below = this.#merged(chain, position + 1, name)
    const layers = this.#layers(tenant, name)
    const merged = layers.length === 0 ? below : mergeDocuments([...(below === undefined ? [] : [below]), ...layers])
    known.set(name, merged)
    return merged
  }

  #layers(tenant: string, name: string): DocumentData[] {
    const names = name === TENANT_WIDE ? [TENANT_WIDE] : [TENANT_WIDE, name]
    return names.flatMap((layer) => {
      const document = this.#catalog.document(tenant, layer)
      return document === undefined ? [] : [document.data]
    })
  }

  #of(tenant: string): Map<string, DocumentData | undefined> {
    let known = this.#known.get(tenant)
    if (known === undefined) {
      known = new Map()
      this.#known.set(tenant, known)
    }
    return known
  }
}
