import { canonicalJson, type Difference, type ResolvedService } from '@tributary/contract'
import type { CatalogReader } from './catalog.js'
import { formatPointer } from './json-pointer.js'
import { isObject } from './merge-patch.js'
import { chainOf, documentNames, resolveDocument, resolveServices } from './resolve.js'
import type { TenantState } from './tenant-state.js'

/** A value that differs at a path inside a document. */
export interface JsonDifference {
  readonly path: readonly string[]
  /** Undefined where it is absent. */
  readonly before: unknown
  readonly after: unknown
}

/** What changed in a tenant's own record, entries and documents. Documents are compared member by member. Ordered by kind and name. */
export function diffStates(name: string, before: TenantState, after: TenantState): Difference[] {
  const entries = names(before.entries, after.entries).flatMap((service) =>
    whole({ kind: 'entry', name: service }, before.entries.get(service), after.entries.get(service)),
  )
  const documents = names(before.documents, after.documents).flatMap((service) =>
    byPath({ kind: 'document', name: service }, before.documents.get(service), after.documents.get(service)),
  )
  const schemas = names(before.schemas, after.schemas).flatMap((service) =>
    whole({ kind: 'schema', name: service }, before.schemas.get(service), after.schemas.get(service)),
  )
  return [...whole({ kind: 'tenant', name }, before.tenant, after.tenant), ...entries, ...documents, ...schemas]
}

/**
 * In what `after` sees other than `before`: services as they are resolved, and merged documents member by member. A service that both
 * get from the same entry does not differ, though one inherits it and the other owns it.
 */
export function diffViews(catalog: CatalogReader, before: string, after: string): Difference[] {
  const [left, right] = [chainOf(catalog, before), chainOf(catalog, after)]
  const [leftServices, rightServices] = [resolveServices(catalog, left), resolveServices(catalog, right)]
  const services = names(leftServices, rightServices).flatMap((name) => {
    const [one, other] = [leftServices.get(name), rightServices.get(name)]
    return canonicalJson(comparable(one)) === canonicalJson(comparable(other))
      ? []
      : [difference({ kind: 'service', name }, one, other)]
  })
  const configs = [...new Set([...documentNames(catalog, left), ...documentNames(catalog, right)])]
    .sort()
    .flatMap((name) =>
      byPath({ kind: 'config', name }, resolveDocument(catalog, left, name), resolveDocument(catalog, right, name)),
    )
  return [...services, ...configs]
}

/** Where two JSON values differ. Arrays are compared whole, as they are replaced whole. */
export function diffJson(before: unknown, after: unknown, path: readonly string[] = []): JsonDifference[] {
  if (isObject(before) && isObject(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .sort()
      .flatMap((name) => diffJson(ownMember(before, name), ownMember(after, name), [...path, name]))
  }
  return canonicalJson([before]) === canonicalJson([after]) && (before === undefined) === (after === undefined)
    ? []
    : [{ path, before, after }]
}

type Subject = Pick<Difference, 'kind' | 'name'>

function whole(subject: Subject, before: unknown, after: unknown): Difference[] {
  const differs = canonicalJson(before ?? null) !== canonicalJson(after ?? null)
  return differs ? [difference(subject, before, after)] : []
}

function byPath(subject: Subject, before: unknown, after: unknown): Difference[] {
  if (before === undefined || after === undefined) return whole(subject, before, after)
  return diffJson(before, after).map(({ path, ...values }) => ({
    ...difference(subject, values.before, values.after),
    path: formatPointer(path),
  }))
}

function difference(subject: Subject, before: unknown, after: unknown): Difference {
  return { ...subject, before: before ?? null, after: after ?? null }
}

/** What is told apart of a resolved service: not whether it is one's own. */
function comparable(service: ResolvedService | undefined): unknown {
  return service === undefined ? null : { ...service, state: service.state === 'masked' ? 'masked' : 'present' }
}

function ownMember(value: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined
}

function names(left: ReadonlyMap<string, unknown>, right: ReadonlyMap<string, unknown>): string[] {
  return [...new Set([...left.keys(), ...right.keys()])].sort()
}
