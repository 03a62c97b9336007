import type { ExplainLayer, Explanation } from '@tributary/contract'
import type { CatalogReader } from './catalog.js'
import { describeStamp } from './describe.js'
import { formatPointer, member, valueAt } from './json-pointer.js'
import { isObject } from './merge-patch.js'
import { TENANT_WIDE, type DocumentRecord } from './records.js'
import { chainOf, grayDocument, resolveDocument, resolveGrayDocument } from './resolve.js'

/** Which place of which merged document. An empty path is the whole document. */
export interface DocumentPlace {
  readonly tenant: string
  /** Service name or `*`. */
  readonly service: string
  readonly path: readonly string[]
  /** As an instance sees it that a gray release reaches: its source is then `<service> (gray)`. Default: as all others do. */
  readonly gray?: boolean
}

/** What one document, taken as an RFC 7396 patch, does to a place. */
type Touch =
  /** Leaves it as it is. */
  | { readonly does: 'nothing' }
  /** An object: its members go over those that are there. */
  | { readonly does: 'merge'; readonly value: unknown }
  /** Anything else: replaces what is there. `arrayDepth`: the place is inside an array, which is so many steps down. */
  | { readonly does: 'set'; readonly value: unknown; readonly arrayDepth?: number }
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
 * | gives an object where a weaker one has an array around the place | `removes` |
 */
export function explainDocument(catalog: CatalogReader, place: DocumentPlace): Explanation {
  const { tenant, service, path, gray = false } = place
  const chain = chainOf(catalog, tenant)
  const layers = layersOf(touching(catalog, chain, place))
  const resolved = gray ? resolveGrayDocument(catalog, chain, service) : resolveDocument(catalog, chain, service)
  const result = valueAt(resolved, path)
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

/** A document at a place. `objectDepth`: how many steps of the path lead through objects; -1 when not even the first. */
interface Visit extends Toucher {
  readonly objectDepth: number
}

function touching(
  catalog: CatalogReader,
  chain: readonly string[],
  { service, path, gray = false }: DocumentPlace,
): Toucher[] {
  const names = service === TENANT_WIDE ? [TENANT_WIDE] : [service, TENANT_WIDE]
  const visits = chain
    .flatMap((tenant, distance) =>
      names.flatMap((name) => {
        const isGray = gray && distance === 0 && name === service
        return (isGray ? grayLayer(catalog, tenant, name) : catalog.document(tenant, name)) ?? []
      }),
    )
    .map((document) => ({ document, ...visit(document.data, path) }))
  return withReplacedArray(visits).filter(({ touch }) => touch.does !== 'nothing')
}

/** The tenant's own document with the patch of its gray release, under a name that says so. */
function grayLayer(catalog: CatalogReader, tenant: string, service: string): DocumentRecord | undefined {
  const release = catalog.gray(tenant, service)
  const data = grayDocument(catalog, tenant, service)
  if (release === undefined || data === undefined) return catalog.document(tenant, service)
  return { tenant, service: `${service} (gray)`, data, stamp: release.stamp, revision: release.revision }
}

/** An object replaces an array around the place, and so removes what is inside, though it does not name the place itself. */
function withReplacedArray(visits: readonly Visit[]): readonly Visit[] {
  const decider = visits.findIndex(({ touch }) => touch.does === 'set' || touch.does === 'remove')
  const touch = visits[decider]?.touch
  if (touch?.does !== 'set' || touch.arrayDepth === undefined) return visits
  const { arrayDepth } = touch
  const replacing = visits.slice(0, decider).findLast(({ objectDepth }) => objectDepth >= arrayDepth)
  if (replacing?.touch.does !== 'nothing') return visits
  return visits.map((item) => (item === replacing ? { ...item, touch: { does: 'remove' } } : item))
}

function visit(data: unknown, path: readonly string[]): Omit<Visit, 'document'> {
  let value = data
  for (const [depth, name] of path.entries()) {
    const objectDepth = isObject(value) ? depth : depth - 1
    if (Array.isArray(value)) return { objectDepth, touch: inArray(value, path.slice(depth), depth) }
    if (!isObject(value)) return { objectDepth, touch: { does: 'remove' } }
    if (!Object.hasOwn(value, name)) return { objectDepth, touch: { does: 'nothing' } }
    value = member(value, name)
  }
  if (isObject(value)) return { objectDepth: path.length, touch: { does: 'merge', value } }
  return { objectDepth: path.length - 1, touch: value === null ? { does: 'remove' } : { does: 'set', value } }
}

/** An array replaces what is there whole, so what is inside it is set by it alone. */
function inArray(array: readonly unknown[], path: readonly string[], arrayDepth: number): Touch {
  const value = valueAt(array, path)
  return value === undefined ? { does: 'remove' } : { does: 'set', value, arrayDepth }
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
    ...describeStamp(document.stamp),
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
  const what = pointer === '' ? `config of ${service}` : `${pointer} of ${service}`
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
