import { canonicalJson, type DocumentData, type ResolvedService } from '@tributary/contract'
import type { CatalogChange, CatalogReader } from './catalog.js'
import { diffJson, type JsonDifference } from './differences.js'
import { MergedDocuments } from './merged-documents.js'
import { TENANT_WIDE } from './records.js'
import { chainOf, documentNames, resolveService } from './resolve.js'
import { impactOf, type TenantImpact } from './view-impact.js'

/** A service that a tenant sees other than before; undefined: it sees none. */
export interface ServiceChange {
  readonly service: string
  readonly before: ResolvedService | undefined
  readonly after: ResolvedService | undefined
}

/** A resolved document that differs, and where; nowhere: the view begins or ends to list it, with the values that `*` gives it anyway. */
export interface DocumentChange {
  readonly service: string
  readonly differences: readonly JsonDifference[]
}

/** What a write does to the resolved view of one tenant. */
export interface ViewChange {
  readonly tenant: string
  /** Nearest first; empty while the tenant does not exist. */
  readonly chainBefore: readonly string[]
  readonly chainAfter: readonly string[]
  readonly services: readonly ServiceChange[]
  readonly documents: readonly DocumentChange[]
}

const NO_DIFFERENCES: readonly JsonDifference[] = []

/**
 * Compares what tenants see of two states of a catalog, one of which the given changes lead to. Work is in proportion to the views that
 * the changes can be seen in; documents that tenants share are merged and compared once.
 */
export class ViewComparison {
  readonly before: CatalogReader
  readonly after: CatalogReader
  readonly mergedBefore: MergedDocuments
  readonly mergedAfter: MergedDocuments
  readonly #diffs = new Map<DocumentData | undefined, Map<DocumentData | undefined, readonly JsonDifference[]>>()

  constructor(before: CatalogReader, after: CatalogReader) {
    this.before = before
    this.after = after
    this.mergedBefore = new MergedDocuments(before)
    this.mergedAfter = new MergedDocuments(after)
  }

  /** The views that `changes` alter, in no promised order; those that they leave as they are do not come. */
  changedViews(changes: readonly CatalogChange[]): ViewChange[] {
    const impact = impactOf(this.after, changes)
    return [...impact.tenants].map(([tenant, may]) => this.#compare(tenant, may)).filter(hasChanged)
  }

  /** How the resolved document of one service differs for a tenant, whether its view lists it or not. */
  documentDifferences(view: Pick<ViewChange, 'chainBefore' | 'chainAfter'>, name: string): readonly JsonDifference[] {
    const before = this.mergedBefore.get(view.chainBefore, name)
    const after = this.mergedAfter.get(view.chainAfter, name)
    if (before === undefined && after === undefined) return NO_DIFFERENCES
    let known = this.#diffs.get(before)
    if (known === undefined) this.#diffs.set(before, (known = new Map()))
    let differences = known.get(after)
    if (differences === undefined) known.set(after, (differences = diffDocuments(before, after)))
    return differences
  }

  #compare(tenant: string, may: TenantImpact): ViewChange {
    const chains = { chainBefore: chainOf(this.before, tenant), chainAfter: chainOf(this.after, tenant) }
    const services = [...this.#servicesOf(chains, may)]
      .sort()
      .flatMap((service) => this.#compareService(chains, service))
    const documents = [...this.#documentsOf(chains, may)].sort().flatMap((service) => {
      const differences = this.documentDifferences(chains, service)
      return differences.length === 0 && !this.#listingChanges(chains, service) ? [] : [{ service, differences }]
    })
    return { tenant, ...chains, services, documents }
  }

  /** A view of all services lists the documents that exist in its chain. */
  #listingChanges({ chainBefore, chainAfter }: Chains, name: string): boolean {
    const listed = chainBefore.some((tenant) => this.before.document(tenant, name) !== undefined)
    return listed !== chainAfter.some((tenant) => this.after.document(tenant, name) !== undefined)
  }

  #compareService({ chainBefore, chainAfter }: Chains, service: string): ServiceChange[] {
    const before = resolveService(this.before, chainBefore, service)
    const after = resolveService(this.after, chainAfter, service)
    return canonicalJson(before ?? null) === canonicalJson(after ?? null) ? [] : [{ service, before, after }]
  }

  #servicesOf({ chainBefore, chainAfter }: Chains, may: TenantImpact): ReadonlySet<string> {
    if (!may.whole) return may.services
    const names = new Set<string>()
    for (const tenant of chainBefore) for (const name of this.before.entriesOf(tenant).keys()) names.add(name)
    for (const tenant of chainAfter) for (const name of this.after.entriesOf(tenant).keys()) names.add(name)
    return names
  }

  #documentsOf({ chainBefore, chainAfter }: Chains, may: TenantImpact): ReadonlySet<string> {
    if (!may.whole && !may.allDocuments) return may.documents
    return new Set([...documentNames(this.before, chainBefore), ...documentNames(this.after, chainAfter)])
  }
}

type Chains = Pick<ViewChange, 'chainBefore' | 'chainAfter'>

/** Whether a subscriber of the view would get something: one of a service alone, or of all of them (`null`). */
export function wakes(comparison: ViewComparison, view: ViewChange, service: string | null): boolean {
  if (service === null || hasNewChain(view) || view.services.length > 0) return true
  const own = view.documents.find((document) => document.service === service)
  if (own !== undefined) return own.differences.length > 0
  // A service without a document of its own sees what `*` makes, which the view does not list under its name.
  const wide = view.documents.some((document) => document.service === TENANT_WIDE)
  return wide && comparison.documentDifferences(view, service).length > 0
}

/** Whether the tenant's chain is another one. */
export function hasNewChain({ chainBefore, chainAfter }: Chains): boolean {
  return chainBefore.join() !== chainAfter.join()
}

function hasChanged(view: ViewChange): boolean {
  return hasNewChain(view) || view.services.length > 0 || view.documents.length > 0
}

/** Where documents differ, member by member also when one comes or goes; an empty one that does differs as a whole. */
function diffDocuments(before: DocumentData | undefined, after: DocumentData | undefined): readonly JsonDifference[] {
  const differences = diffJson(before ?? {}, after ?? {})
  if (differences.length > 0 || (before !== undefined && after !== undefined)) return differences
  return [{ path: [], before, after }]
}
