import {
  MAX_IMPACT_PATHS,
  MAX_IMPACT_VALUE_CHARS,
  type DocumentImpact,
  type ImpactRequest,
  type PathImpact,
  type SchemaMode,
  type ServiceImpact,
  type Subscription,
  type TenantImpact,
  type WriteImpact,
} from '@tributary/contract'
import type { CatalogReader } from '../domain/catalog.js'
import type { JsonDifference } from '../domain/differences.js'
import { DraftCatalog } from '../domain/draft-catalog.js'
import type { CatalogEdit } from '../domain/edits.js'
import { formatPointer } from '../domain/json-pointer.js'
import { draftEdits } from '../domain/plan-write.js'
import { describeShadowed, shadowedChanges } from '../domain/shadowed-changes.js'
import { MAX_TOLD_VIOLATIONS, refusedFor } from '../domain/schema-check.js'
import { hasNewChain, ViewComparison, wakes, type ViewChange } from '../domain/view-changes.js'
import { failure } from '../errors.js'
import { findViolations } from './commit-changes.js'
import { readCatalog, type OperationContext } from './operation-context.js'
import { decideRollback } from './rollback-tenant.js'

/** Tenants that are told in full when a request does not say how many. */
const DEFAULT_TENANTS = 50

/** How a write is tried. `subscriptions`: the live streams of all replicas; undefined when one of them does not answer. */
export interface PreviewQuestion {
  readonly schemaMode: SchemaMode
  readonly subscriptions: readonly Subscription[] | undefined
  /** How many are told in full. Default 50. */
  readonly maxTenants?: number
}

/** A write that is to be tried. */
export interface ImpactQuestion extends PreviewQuestion {
  readonly request: ImpactRequest
}

/**
 * What a write would do to every view, without making it: planned by the rules of a write on the newest state, which a write that
 * follows may find changed. Work is in proportion to the views that it can be seen in.
 * @throws AppError `INVALID_REQUEST`, and as the write would, but for `SCHEMA_VIOLATION`, which is told
 */
export async function checkImpact(context: OperationContext, question: ImpactQuestion): Promise<WriteImpact> {
  const catalog = await readCatalog(context)
  const edits = await editsOf(context, catalog, question.request)
  const { maxTenants } = question.request
  return previewEdits(context, edits, { ...question, ...(maxTenants === undefined ? {} : { maxTenants }) })
}

async function editsOf(
  context: OperationContext,
  catalog: CatalogReader,
  { changes, rollback }: ImpactRequest,
): Promise<readonly CatalogEdit[]> {
  if (changes !== undefined && rollback === undefined) return changes
  if (changes === undefined && rollback !== undefined) {
    return decideRollback(context, catalog, { tenant: rollback.tenant, request: rollback })
  }
  throw failure(
    'INVALID_REQUEST',
    'Nothing was tried: the body names changes or a rollback, not both and not neither.',
    {
      details: { in: 'body', violations: [{ field: '/changes', type: 'absent', rule: 'changes or rollback' }] },
    },
  )
}

/** As {@link checkImpact}, on the state that this replica has. In one step, so that all of it is about one state of the catalog. */
export function previewEdits(
  context: OperationContext,
  edits: readonly CatalogEdit[],
  question: PreviewQuestion,
): WriteImpact {
  const { catalog } = context.live
  const draft = draftEdits(catalog, edits)
  const findings = findViolations(context, draft, edits)
  const after = new DraftCatalog(draft)
  const comparison = new ViewComparison(catalog, after)
  const views = comparison.changedViews(after.changes)
  const shadowed = shadowedChanges(comparison, after.changes)
  const violations = [...findings.own, ...findings.dependents]
  const { maxTenants = DEFAULT_TENANTS } = question
  const written = new Set(edits.map((edit) => edit.tenant))
  const byTenant = groupByTenant(question.subscriptions)
  const woken = views.map((view) => byTenant && subscribersOf(comparison, view, byTenant.get(view.tenant) ?? []))
  const counted = views.map((view, index) => ({ view, subscribers: woken[index] ?? null }))
  const told = counted.sort(byInterest(written)).slice(0, maxTenants)
  const refused = refusedFor(findings, question.schemaMode)
  return {
    storeRevision: String(catalog.storeRevision),
    changed: draft.changes().length > 0,
    totals: {
      tenants: views.length,
      services: sum(views.map((view) => view.services.length)),
      documents: sum(views.map((view) => view.documents.length)),
      owners: sum(views.map((view) => view.services.map(describeService).filter((one) => one.ownerChanges).length)),
      shadowed: shadowed.length,
      violations: violations.length,
      subscribers: question.subscriptions === undefined ? null : sum(woken.map((count) => count ?? 0)),
    },
    tenants: told.map(({ view, subscribers }) => describeView(view, { written, subscribers })),
    shadowed: shadowed.slice(0, maxTenants).map((one) => describeShadowed(comparison, one)),
    violations: violations.slice(0, Math.max(maxTenants, MAX_TOLD_VIOLATIONS)),
    refused: refused.length > 0,
  }
}

interface CountedView {
  readonly view: ViewChange
  readonly subscribers: number | null
}

function subscribersOf(comparison: ViewComparison, view: ViewChange, subscriptions: readonly Subscription[]): number {
  // A tenant that goes takes its subscribers' streams with it.
  if (view.chainAfter.length === 0) return subscriptions.length
  return subscriptions.filter(({ service }) => wakes(comparison, view, service)).length
}

function groupByTenant(subscriptions: PreviewQuestion['subscriptions']): Map<string, Subscription[]> | undefined {
  if (subscriptions === undefined) return undefined
  const groups = new Map<string, Subscription[]>()
  for (const subscription of subscriptions) {
    const group = groups.get(subscription.tenant)
    if (group === undefined) groups.set(subscription.tenant, [subscription])
    else group.push(subscription)
  }
  return groups
}

/** Those that the write names, then those with the most subscribers, then by name. */
function byInterest(written: ReadonlySet<string>): (left: CountedView, right: CountedView) => number {
  return (left, right) =>
    Number(written.has(right.view.tenant)) - Number(written.has(left.view.tenant)) ||
    (right.subscribers ?? 0) - (left.subscribers ?? 0) ||
    (left.view.tenant < right.view.tenant ? -1 : 1)
}

function describeView(
  view: ViewChange,
  { written, subscribers }: { readonly written: ReadonlySet<string>; readonly subscribers: number | null },
): TenantImpact {
  const { tenant, chainBefore, chainAfter } = view
  return {
    tenant,
    is: chainBefore.length === 0 ? 'created' : chainAfter.length === 0 ? 'deleted' : 'changed',
    written: written.has(tenant),
    chain: hasNewChain(view) ? { before: [...chainBefore], after: [...chainAfter] } : null,
    services: view.services.slice(0, MAX_IMPACT_PATHS).map(describeService),
    serviceCount: view.services.length,
    documents: view.documents.slice(0, MAX_IMPACT_PATHS).map(describeDocument),
    documentCount: view.documents.length,
    subscribers,
  }
}

function describeService({ service, before, after }: ViewChange['services'][number]): ServiceImpact {
  const [from, to] = [ownerOf(before), ownerOf(after)]
  return { service, before: before ?? null, after: after ?? null, ownerChanges: from !== to }
}

/** Who answers; nobody when it is masked. */
function ownerOf(service: ViewChange['services'][number]['before']): string | undefined {
  return service?.state === 'masked' ? undefined : service?.owner
}

function describeDocument({ service, differences }: ViewChange['documents'][number]): DocumentImpact {
  const paths = differences.slice(0, MAX_IMPACT_PATHS).map(describePath)
  return { service, paths, pathCount: differences.length }
}

/** A difference as an impact tells it: a large value is left out. */
export function describePath({ path, before, after }: JsonDifference): PathImpact {
  const absent: Pick<PathImpact, 'absent'> =
    before === undefined ? { absent: 'before' } : after === undefined ? { absent: 'after' } : {}
  const large = JSON.stringify([before, after]).length > MAX_IMPACT_VALUE_CHARS
  const values = large ? { before: null, after: null, large } : { before: before ?? null, after: after ?? null }
  return { path: formatPointer(path), ...values, ...absent }
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
