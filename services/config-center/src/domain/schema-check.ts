import type { DocumentData, JsonSchema, SchemaMode, SchemaViolation } from '@tributary/contract'
import { failure } from '../errors.js'
import type { CatalogChange, CatalogReader } from './catalog.js'
import type { CatalogDraft } from './catalog-draft.js'
import { isChanged } from './catalog-draft.js'
import { explainDocument } from './explain-document.js'
import { formatPointer, valueAt } from './json-pointer.js'
import { jsonType } from './json-type.js'
import { TENANT_WIDE } from './records.js'
import { chainOf, resolveService } from './resolve.js'
import { hasNewChain, type ViewChange, type ViewComparison } from './view-changes.js'
import { impactOf, type TenantImpact } from './view-impact.js'

/** One place of a document that breaks a schema: without tenant and service, and never with the value. */
export interface BrokenRule {
  readonly path: readonly string[]
  readonly keyword: string
  readonly rule: string
}

/** Keyword of the rule that says that a document could not be checked. It never counts as one that was broken before. */
export const UNCHECKED = '$unchecked'

/** Keyword of the rule that says that a document was not reached, because others took the time. */
export const UNREACHED = '$unreached'

/** A document to be checked by a schema. */
export interface SchemaJob {
  readonly schema: JsonSchema
  readonly data: DocumentData
}

/** Checks documents by JSON schemas. All calls share one budget of time: that of one write. */
export interface SchemaChecker {
  /** The broken rules of each job, in the order of the jobs; the first are checked first. The same data object and schema are checked once. */
  check(jobs: readonly SchemaJob[]): readonly (readonly BrokenRule[])[]
  /**
   * @throws AppError `SCHEMA_INVALID`: what `subject` names is no schema that documents can be checked by. `SCHEMA_TIME_SPENT` (retryable): those
   * before it took all the time that one write has; they are known when the write is sent again.
   */
  requireUsable(schema: JsonSchema, subject: { readonly tenant: string; readonly service: string }): void
}

/** Begins the checks of one write, within bounds of time whatever its schemas are. */
export interface SchemaCheckers {
  forWrite(): SchemaChecker
}

/** What a view without any document is checked as. One object, so that it is checked once. */
const EMPTY: DocumentData = {}

/** Most violations that one answer tells. */
export const MAX_TOLD_VIOLATIONS = 20

/** What a write brings about, by where it is. */
export interface SchemaFindings {
  /** In views of tenants that the write names. */
  readonly own: readonly SchemaViolation[]
  /** In views of tenants that overlay them. */
  readonly dependents: readonly SchemaViolation[]
}

/** What is checked: the states before and after a draft's write, what it changes, and the tenants that it names. */
export interface SchemaQuestion {
  readonly comparison: ViewComparison
  readonly draft: CatalogDraft
  readonly changes: readonly CatalogChange[]
  readonly written: ReadonlySet<string>
}

/**
 * Every place of a resolved document that breaks its schema after the write and did not before: neither in the tenant's own view, nor in
 * the view of its base, from which a new tenant has it. A view of a service is checked by the schema of the tenant whose copy it resolves
 * to (docs/adr/0016); one that resolves to none, is masked, or came without a schema is not checked. A tenant that adds nothing of its own to
 * a service sees what its base does, and is not told beside it.
 */
export function newViolations(checker: SchemaChecker, question: SchemaQuestion): SchemaFindings {
  // Those that the write names first: a write is refused for them alone, and there may not be time for all.
  const isOwn = ({ view }: Subject): boolean => question.written.has(view.tenant)
  const all = subjectsOf(question)
  const subjects = [...all.filter(isOwn), ...all.filter((subject) => !isOwn(subject))]
  if (subjects.length === 0) return { own: [], dependents: [] }
  const { mergedBefore, mergedAfter } = question.comparison
  const found = checker.check(
    subjects.map(({ chain, service, schema }) => ({ schema, data: mergedAfter.get(chain, service) ?? EMPTY })),
  )
  const broken = subjects.flatMap((subject, index) => {
    const rules = found[index] ?? []
    return rules.length === 0 ? [] : [{ subject, rules }]
  })
  const known = checker.check(
    broken.flatMap(({ subject }) =>
      earlier(question, subject).map(({ schema, chain }) => ({
        schema,
        data: mergedBefore.get(chain, subject.service) ?? EMPTY,
      })),
    ),
  )
  let position = 0
  const violations = broken.flatMap(({ subject, rules }) => {
    const earlierRules = earlier(question, subject).flatMap(() => known[position++] ?? [])
    const old = new Set(earlierRules.filter(isFinding).map(keyOf))
    return rules.filter((rule) => !old.has(keyOf(rule))).map((rule) => describe({ question, subject, rule }))
  })
  return {
    own: violations.filter(({ tenant }) => question.written.has(tenant)),
    dependents: violations.filter(({ tenant }) => !question.written.has(tenant)),
  }
}

/** What a write is refused for in `mode`. That there was no time to check is told, and never held against a write. */
export function refusedFor({ own, dependents }: SchemaFindings, mode: SchemaMode): readonly SchemaViolation[] {
  const refused = mode === 'warn' ? [] : mode === 'all' ? [...own, ...dependents] : own
  return refused.filter(({ keyword }) => keyword !== UNREACHED)
}

/** @throws AppError `SCHEMA_VIOLATION` when `mode` does not let the findings pass. */
export function requireSchemas(findings: SchemaFindings, mode: SchemaMode): void {
  const refused = refusedFor(findings, mode)
  const [first] = refused
  if (first === undefined) return
  const { tenant, service, path, rule, type, schemaOwner, setBy } = first
  const more = refused.length > 1 ? ` (and ${refused.length - 1} more)` : ''
  const by = setBy === null ? '' : `, set by ${setBy}`
  throw failure(
    'SCHEMA_VIOLATION',
    `The write was refused, nothing is stored: the config of ${service} in ${tenant} at ${path === '' ? 'its top' : path} ${rule} (it is ${type}${by}), says the schema of ${schemaOwner}/${service}${more}. Correct it, or say schema=warn.`,
    { details: { violations: refused.slice(0, MAX_TOLD_VIOLATIONS), total: refused.length } },
  )
}

interface Subject {
  readonly view: View
  readonly chain: readonly string[]
  readonly service: string
  readonly owner: string
  readonly schema: JsonSchema
}

/** The (tenant, service) pairs whose check can come out otherwise than before. */
function subjectsOf({ comparison, changes, draft, written }: SchemaQuestion): Subject[] {
  const { after } = comparison
  const subjects = new Map<string, Subject>()
  const add = (view: View, service: string): void => {
    const resolved = resolveService(after, view.chainAfter, service)
    if (resolved === undefined || resolved.state === 'masked') return
    const record = after.schema(resolved.owner, service)
    if (record === undefined) return
    const subject = { view, chain: view.chainAfter, service, owner: resolved.owner, schema: record.schema }
    subjects.set(`${view.tenant}/${service}`, subject)
  }
  for (const [tenant, may] of impactOf(after, changes).tenants) {
    const view = viewOf(comparison, tenant)
    for (const service of may.whole || written.has(tenant)
      ? inSchemas(after, view.chainAfter)
      : contributed(after, view)) {
      if (mayTouch(may, service) && concerns(comparison, view, service)) add(view, service)
    }
  }
  for (const slot of draft.schemaSlots().filter(isChanged)) {
    for (const view of viewsBelow(comparison, slot.tenant)) {
      if (view.tenant === slot.tenant || contributed(after, view).has(slot.name)) add(view, slot.name)
    }
  }
  return [...subjects.values()]
}

/** A tenant with its chains. */
type View = Pick<ViewChange, 'tenant' | 'chainBefore' | 'chainAfter'>

function viewOf({ before, after }: ViewComparison, tenant: string): View {
  return { tenant, chainBefore: chainOf(before, tenant), chainAfter: chainOf(after, tenant) }
}

/** The services of which a tenant sees something other than its base does. Of all others its view is its base's, and is checked there. */
function contributed(catalog: CatalogReader, { tenant, chainAfter }: View): ReadonlySet<string> {
  if (catalog.document(tenant, TENANT_WIDE) !== undefined) return inSchemas(catalog, chainAfter)
  return new Set([...catalog.entriesOf(tenant).keys(), ...catalog.documentsOf(tenant).keys()])
}

/** The services for which a tenant of the chain has a schema. */
function inSchemas(catalog: CatalogReader, chain: readonly string[]): ReadonlySet<string> {
  return new Set(chain.flatMap((tenant) => [...catalog.schemasOf(tenant).keys()]))
}

function mayTouch(may: TenantImpact, service: string): boolean {
  return may.whole || may.allDocuments || may.documents.has(service) || may.services.has(service)
}

function concerns(comparison: ViewComparison, view: View, service: string): boolean {
  if (hasNewChain(view)) return true
  const [before, after] = [
    resolveService(comparison.before, view.chainBefore, service),
    resolveService(comparison.after, view.chainAfter, service),
  ]
  const sameCopy = before?.owner === after?.owner && (before?.state === 'masked') === (after?.state === 'masked')
  return !sameCopy || comparison.documentDifferences(view, service).length > 0
}

/** The views of a tenant and of all that overlay it, changed or not. */
function viewsBelow(comparison: ViewComparison, tenant: string): View[] {
  const found = new Map<string, View>()
  const pending = [tenant]
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (found.has(name) || comparison.after.tenant(name) === undefined) continue
    found.set(name, viewOf(comparison, name))
    pending.push(...comparison.after.dependents(name))
  }
  return [...found.values()]
}

interface EarlierView {
  readonly schema: JsonSchema
  readonly chain: readonly string[]
}

/** How the same service was seen before: by the tenant itself, and by its base, each with the schema that then held. */
function earlier({ comparison: { before } }: SchemaQuestion, { view, chain, service }: Subject): EarlierView[] {
  const base = chain[1]
  const chains = [view.chainBefore, ...(base === undefined ? [] : [chainOf(before, base)])]
  return chains.flatMap((seen) => {
    const resolved = resolveService(before, seen, service)
    const record = resolved === undefined ? undefined : before.schema(resolved.owner, service)
    return record === undefined ? [] : [{ schema: record.schema, chain: seen }]
  })
}

interface Described {
  readonly question: SchemaQuestion
  readonly subject: Subject
  readonly rule: BrokenRule
}

function describe({ question, subject, rule }: Described): SchemaViolation {
  const { view, chain, service, owner } = subject
  const data = question.comparison.mergedAfter.get(chain, service) ?? {}
  const { path, keyword } = rule
  return {
    tenant: view.tenant,
    service,
    schemaOwner: owner,
    path: formatPointer(path),
    keyword,
    rule: rule.rule,
    type: jsonType(valueAt(data, path)),
    setBy: setterOf(question.comparison.after, { tenant: view.tenant, service, path }),
  }
}

function setterOf(
  catalog: CatalogReader,
  place: { readonly tenant: string; readonly service: string; readonly path: readonly string[] },
): string | null {
  const [first] = explainDocument(catalog, place).layers
  return first === undefined ? null : `${first.tenant}/${first.source}`
}

/** Whether a rule was found to be broken, and not only not found to be kept. */
function isFinding({ keyword }: BrokenRule): boolean {
  return keyword !== UNCHECKED && keyword !== UNREACHED
}

function keyOf({ path, keyword, rule }: BrokenRule): string {
  return JSON.stringify([path, keyword, rule])
}
