import { randomUUID } from 'node:crypto'
import {
  MAX_IMPACT_PATHS,
  MAX_TOLD_INSTANCES,
  type GrayImpact,
  type GrayReleaseSpec,
  type SchemaMode,
  type Subscription,
} from '@tributary/contract'
import type { CatalogReader } from '../domain/catalog.js'
import { diffJson } from '../domain/differences.js'
import { DraftCatalog } from '../domain/draft-catalog.js'
import type { CatalogEdit } from '../domain/edits.js'
import { isInGray } from '../domain/gray-release.js'
import { draftEdits } from '../domain/plan-write.js'
import { chainOf, resolveDocument, resolveGrayDocument } from '../domain/resolve.js'
import { MAX_TOLD_VIOLATIONS, refusedFor } from '../domain/schema-check.js'
import { describePath } from './check-impact.js'
import { findViolations } from './commit-changes.js'
import { requireMembers, withoutDraw } from './gray-releases.js'
import { readCatalog, type OperationContext } from './operation-context.js'

/** Which document of which tenant. `subscriptions`: the live streams of all replicas; undefined when one of them does not answer. */
export interface GrayPreviewQuestion {
  readonly tenant: string
  readonly service: string
  readonly schemaMode: SchemaMode
  readonly subscriptions: readonly Subscription[] | undefined
}

/**
 * What a gray release would bring, and to whom, without beginning it: planned by the rules of the write on the newest state. The answer's
 * `draw` makes the write reach exactly those that are named here.
 * @throws AppError `INVALID_REQUEST`, and as the write would, but for `SCHEMA_VIOLATION`, which is told
 */
export async function previewGrayRelease(
  context: OperationContext,
  spec: GrayReleaseSpec,
  question: GrayPreviewQuestion,
): Promise<GrayImpact> {
  requireMembers(spec)
  await readCatalog(context)
  // From here on in one step, so that all of it is about one state of the catalog.
  const { catalog } = context.live
  const { tenant, service } = question
  const draw = catalog.gray(tenant, service)?.id ?? spec.draw ?? randomUUID()
  const edit: CatalogEdit = { op: 'apply-gray', tenant, service, spec: withoutDraw(spec), id: draw }
  const after = new DraftCatalog(draftEdits(catalog, [edit]))
  const chain = chainOf(catalog, tenant)
  const others = resolveDocument(catalog, chain, service)
  const differences = diffJson(others ?? {}, resolveGrayDocument(after, chain, service) ?? {})
  const promotion: CatalogEdit[] = [{ op: 'patch-document', tenant, service, patch: spec.patch }]
  const findings = findViolations(context, draftEdits(catalog, promotion), promotion)
  return {
    storeRevision: String(catalog.storeRevision),
    draw,
    underWay: catalog.gray(tenant, service) !== undefined,
    paths: differences.slice(0, MAX_IMPACT_PATHS).map(describePath),
    pathCount: differences.length,
    reach: question.subscriptions === undefined ? null : reachOf(after, question.subscriptions, question),
    violations: [...findings.own, ...findings.dependents].slice(0, MAX_TOLD_VIOLATIONS),
    refused: refusedFor(findings, question.schemaMode).length > 0,
  }
}

/** Who of those that are there would get it. */
function reachOf(
  after: CatalogReader,
  subscriptions: readonly Subscription[],
  { tenant, service }: Pick<GrayPreviewQuestion, 'tenant' | 'service'>,
): NonNullable<GrayImpact['reach']> {
  const following = subscriptions.filter((one) => one.tenant === tenant && one.service === service)
  const members = following.filter((one) => isInGray(after, one))
  const names = [...new Set(members.map(({ instance }) => instance))].sort()
  const elsewhere = subscriptions.filter(
    (one) => one.service === service && one.tenant !== tenant && chainOf(after, one.tenant).includes(tenant),
  )
  return {
    members: members.length,
    instances: names.slice(0, MAX_TOLD_INSTANCES),
    others: following.length - members.length,
    nameless: following.filter(({ instance }) => instance === '').length,
    overlaying: elsewhere.length,
    overlayingTenants: new Set(elsewhere.map((one) => one.tenant)).size,
  }
}
