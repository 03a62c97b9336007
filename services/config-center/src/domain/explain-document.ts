import type { ExplainLayer, Explanation } from '@tributary/contract'
import type { CatalogReader } from './catalog.js'
import { formatPointer, member, valueAt } from './json-pointer.js'
import { isObject } from './merge-patch.js'
import { TENANT_WIDE, type DocumentRecord } from './records.js'
import { chainOf, resolveDocument } from './resolve.js'

/** Which place of which merged document. An empty path is the whole document. */
export interface DocumentPlace {
  readonly tenant: string
  /** Service name or `*`. */
  readonly service: string
  readonly path: readonly string[]
}

/** What one document, taken as an RFC 7396 patch, does to a place. */
type Touch =
  /** Leaves it as it is. */
  | { readonly does: 'nothing' }
  /** An object: its members go over those that are there. */
  | { readonly does: 'merge'; readonly value: unknown }
  /** Anything else: replaces what is there. */
  | { readonly does: 'set'; readonly value: unknown }
  /** A null there or above, or something above that is not an object: nothing is left of what was there. */
  | { readonly does: 'remove' }

/**
 * Why a place of a tenant's merged document has the value that it has: every document that touches it, strongest first (at each tenant
 * the service's before `*`). The tenant must exist.
 *
 * | a document | its effect |
 * | --- | --- |
 * | sets the place, nothing stronger touches it | `effective` |
 * | gives the place an object | `effective`, or `merged` when others give it members too |
 * | removes the place, nothing stronger set or removed it | `removes` |
 * | any, behind one that set or removed the place | `shadowed` by that one |
 * | sets the place to what a stronger object replaces | `shadowed` by that object |
 */
export function explainDocument(catalog: CatalogReader, place: DocumentPlace): Explanation {
  const { tenant, service, path } = place
  const chain = chainOf(catalog, tenant)
  const layers = layersOf(touching(catalog, chain, place))
  const result = valueAt(resolveDocument(catalog, chain, service), path)
  const pointer = formatPointer(path)
  return {
    tenant,
    service,
    path: pointer,
    storeRevision: String(catalog.storeRevision),
    result: result ?? null,
    summary: summarize({ tenant, service, pointer }, result, layers),
    layers,
  }
}

interface Toucher {
  readonly document: DocumentRecord
  readonly touch: Touch
}

function touching(catalog: CatalogReader, chain: readonly string[], { service, path }: DocumentPlace): Toucher[] {
  const names = service === TENANT_WIDE ? [TENANT_WIDE] : [service, TENANT_WIDE]
  return chain
    .flatMap((tenant) => names.flatMap((name) => catalog.document(tenant, name) ?? []))
    .map((document) => ({ document, touch: touchOf(document.data, path) }))
    .filter(({ touch }) => touch.does !== 'nothing')
}

function touchOf(data: unknown, path: readonly string[]): Touch {
  let value = data
  for (const [depth, name] of path.entries()) {
    if (Array.isArray(value)) return inArray(value, path.slice(depth))
    if (!isObject(value)) return { does: 'remove' }
    if (!Object.hasOwn(value, name)) return { does: 'nothing' }
    value = member(value, name)
  }
  if (value === null) return { does: 'remove' }
  return isObject(value) ? { does: 'merge', value } : { does: 'set', value }
}

/** An array replaces what is there whole, so what is inside it is set by it alone. */
function inArray(array: readonly unknown[], path: readonly string[]): Touch {
  const value = valueAt(array, path)
  return value === undefined ? { does: 'remove' } : { does: 'set', value }
}

function layersOf(touchers: readonly Toucher[]): ExplainLayer[] {
  const end = touchers.findIndex(({ touch }) => touch.does !== 'merge')
  const decider = touchers[end]
  const merging = end === -1 ? touchers : touchers.slice(0, end)
  const layers = merging.map(({ document, touch }) =>
    layer(document, touch, { effect: merging.length === 1 ? 'effective' : 'merged' }),
  )
  if (decider === undefined) return layers
  const behind = touchers.slice(end + 1)
  return [
    ...layers,
    layer(decider.document, decider.touch, deciderEffect(decider.touch, merging.at(-1)?.document)),
    ...behind.map(({ document, touch }) => layer(document, touch, shadowedBy(decider.document))),
  ]
}

type Effect = Pick<ExplainLayer, 'effect' | 'shadowedBy'>

function deciderEffect(touch: Touch, above: DocumentRecord | undefined): Effect {
  if (touch.does === 'remove') return { effect: 'removes' }
  return above === undefined ? { effect: 'effective' } : shadowedBy(above)
}

function shadowedBy(document: DocumentRecord): Effect {
  return { effect: 'shadowed', shadowedBy: nameOf(document) }
}

function layer(document: DocumentRecord, touch: Touch, effect: Effect): ExplainLayer {
  return {
    tenant: document.tenant,
    source: document.service,
    revision: String(document.revision),
    actor: document.stamp.by,
    at: new Date(document.stamp.at).toISOString(),
    value: 'value' in touch ? touch.value : null,
    ...effect,
  }
}

interface SummarySubject {
  readonly tenant: string
  readonly service: string
  readonly pointer: string
}

function summarize(
  { tenant, service, pointer }: SummarySubject,
  result: unknown,
  layers: readonly ExplainLayer[],
): string {
  const what = pointer === '' ? `the document ${service}` : `${pointer} of ${service}`
  const [first] = layers
  if (first === undefined) return `${tenant} has no ${what}, because no document in its chain sets it.`
  if (result === undefined) return `${tenant} has no ${what}, because ${nameOfLayer(first)} removes it.`
  const merged = layers.filter((item) => item.effect === 'merged').map(nameOfLayer)
  if (merged.length > 0) return `${tenant} gets ${what} merged from ${merged.join(', ')}, the nearest first.`
  const over = layers.slice(1).filter((item) => item.effect === 'shadowed')
  const shadows = over.length === 0 ? '' : `, over ${over.map(nameOfLayer).join(', ')}`
  return `${tenant} gets ${what} from ${nameOfLayer(first)}${shadows}.`
}

function nameOf({ tenant, service }: DocumentRecord): string {
  return `${tenant}/${service}`
}

function nameOfLayer({ tenant, source }: ExplainLayer): string {
  return `${tenant}/${source}`
}
