import { canonicalJson, type Change, type ConfigDocument, type EntrySpec, type ServiceEntry } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import { defaultsOver, mergeDefaults } from '../../domain/config-defaults.js'
import { MANAGED_BY } from '../observe-environment.js'
import { findRegisteredDefaults, putRegisteredDefaults, type RegisteredDefaults } from '../state/registered-defaults.js'
import { recordThing, type FreshCopy, type RunContext } from './deploy-context.js'

/** What one deploy changes in the tenant. */
export interface Registration {
  readonly copies: readonly FreshCopy[]
  readonly remove: readonly string[]
  readonly mask: readonly string[]
  readonly unmask: readonly string[]
}

/** The config center takes this many changes in a transaction. */
export const MAX_CHANGES = 40
const MAX_ATTEMPTS = 5

/**
 * Moves the tenant's entries to the new copies, with masks, config defaults and the schemas that config is checked by, as one
 * transaction (more than 40 changes: several, each service's whole). Resolves to the store revision. A document that a person edits at the same moment is read and merged again.
 */
export async function registerServices(context: RunContext, registration: Registration): Promise<string | undefined> {
  for (const { service } of registration.copies) await recordThing(context, { kind: 'entry', id: service.service })
  for (const service of registration.mask) await recordThing(context, { kind: 'entry', id: service })
  for (let attempt = 1; ; attempt += 1) {
    const [entries, defaults, schemas] = await Promise.all([
      entryChanges(context, registration),
      planDefaults(context, registration.copies),
      schemaChanges(context, registration),
    ])
    const changes = [...entries, ...defaults.changes, ...schemas]
    try {
      const revision = await transactAll(context, changes)
      await rememberDefaults(context, defaults.registered)
      return revision
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS || !isConflict(error)) throw error
    }
  }
}

/**
 * Sends changes, at most {@link MAX_CHANGES} in a transaction. What belongs to one service goes together, so that its config is never
 * checked without its schema or its defaults. Undefined when there are none.
 */
export async function transactAll(
  { deps, run, record, signal }: RunContext,
  changes: readonly Change[],
): Promise<string | undefined> {
  let revision: string | undefined
  for (const part of transactionsOf(changes)) {
    const note = { runId: run.run.runId, reason: `${run.run.kind} of ${record.branch}`.slice(0, 512) }
    revision = (await deps.configCenter.transact({ changes: part, note }, { signal })).storeRevision
  }
  return revision
}

/** One when they fit; else cut between services. A service has four changes at most. */
function transactionsOf(changes: readonly Change[]): Change[][] {
  if (changes.length <= MAX_CHANGES) return changes.length === 0 ? [] : [[...changes]]
  const services = new Set(changes.map(serviceOf))
  const parts: Change[][] = [[]]
  for (const service of services) {
    const group = changes.filter((change) => serviceOf(change) === service)
    const last = parts.at(-1) ?? []
    if (last.length + group.length <= MAX_CHANGES) last.push(...group)
    else parts.push(group)
  }
  return parts
}

function serviceOf(change: Change): string {
  return 'service' in change ? change.service : ''
}

/** The entry of a copy that the env-manager runs. */
export function entrySpecOf({ service, workload }: FreshCopy): EntrySpec {
  return {
    endpoints: [...workload.endpoints],
    version: workload.version.slice(0, 128),
    commitSha: service.commitSha,
    metadata: { [MANAGED_BY.key]: MANAGED_BY.value },
  }
}

async function entryChanges({ deps, record }: RunContext, registration: Registration): Promise<readonly Change[]> {
  const { entries } = await deps.configCenter.listEntries(record.name)
  const present = new Set(entries.map((entry: ServiceEntry) => entry.service))
  const tenant = record.name
  return [
    ...registration.copies.map((copy): Change => ({
      op: 'apply-entry',
      tenant,
      service: copy.service.service,
      spec: entrySpecOf(copy),
    })),
    ...[...registration.remove, ...registration.unmask]
      .filter((service) => present.has(service))
      .map((service): Change => ({ op: 'delete-entry', tenant, service })),
    ...registration.mask.map((service): Change => ({ op: 'mask-entry', tenant, service })),
  ]
}

/** A copy brings its schema along, or none; what is removed has none either. */
async function schemaChanges({ deps, record }: RunContext, registration: Registration): Promise<readonly Change[]> {
  const { schemas } = await deps.configCenter.listSchemas(record.name)
  const present = new Set(schemas.map(({ service }) => service))
  const tenant = record.name
  const dropped = registration.copies.flatMap(({ service }) =>
    service.defined.schema === undefined ? [service.service] : [],
  )
  return [
    ...registration.copies.flatMap(({ service: { service, defined } }): Change[] =>
      defined.schema === undefined ? [] : [{ op: 'apply-schema', tenant, service, schema: defined.schema }],
    ),
    ...[...dropped, ...registration.remove]
      .filter((service) => present.has(service))
      .map((service): Change => ({ op: 'delete-schema', tenant, service })),
  ]
}

interface PlannedDefaults {
  readonly changes: readonly Change[]
  readonly registered: readonly (RegisteredDefaults & { readonly service: string })[]
}

/** Three-way merge of each definition's defaults into the tenant's own document: what people set there stays. */
async function planDefaults(context: RunContext, copies: readonly FreshCopy[]): Promise<PlannedDefaults> {
  const { deps, record } = context
  const [{ documents }, { chain }] = await Promise.all([
    deps.configCenter.listDocuments(record.name),
    deps.configCenter.getTenant(record.name),
  ])
  const changes: Change[] = []
  const registered: (RegisteredDefaults & { readonly service: string })[] = []
  for (const { service } of copies) {
    const defaults = service.defined.definition.config?.defaults ?? {}
    const before = await findRegisteredDefaults(deps.store, record.name, service.service)
    const document = defaultsOver(await inheritedDefaults(context, chain.slice(1), service.service), defaults)
    const current = documents.find((one: ConfigDocument) => one.service === service.service)
    const sides = { previous: before?.document ?? {}, next: document, current: current?.data ?? {} }
    const merged = mergeDefaults(sides)
    if (canonicalJson(merged) !== canonicalJson(sides.current))
      changes.push(documentChange(record.name, { service: service.service, merged, current }))
    if (canonicalJson(before ?? {}) !== canonicalJson({ defaults, document }))
      registered.push({ service: service.service, defaults, document })
  }
  return { changes, registered }
}

function documentChange(
  tenant: string,
  given: {
    readonly service: string
    readonly merged: Record<string, unknown>
    readonly current: ConfigDocument | undefined
  },
): Change {
  const { service, merged, current } = given
  const expectedRevision = current?.revision ?? '0'
  return { op: 'apply-document', tenant, service, data: merged, expectedRevision }
}

/** The defaults that the nearest environment below registered for the service: the branch's document holds only the difference. */
async function inheritedDefaults(
  { deps }: RunContext,
  ancestors: readonly string[],
  service: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  for (const ancestor of ancestors) {
    const found = await findRegisteredDefaults(deps.store, ancestor, service)
    if (found !== undefined) return found.defaults
  }
  return undefined
}

async function rememberDefaults(
  { deps, record }: RunContext,
  registered: PlannedDefaults['registered'],
): Promise<void> {
  for (const { service, defaults, document } of registered) {
    const put = putRegisteredDefaults(record.name, service, { defaults, document })
    await deps.store.transact({ compares: [], mutations: [put] })
  }
}

function isConflict(error: unknown): boolean {
  return isAppError(error) && error.kind === 'conflict'
}
