import type { ConfigDocument, ExplainLayer, GrayRelease, ServiceEntry, Tenant } from '@tributary/contract'
import type { CatalogReader } from './catalog.js'
import type { DocumentRecord, EntryRecord, GrayRecord, TenantRecord, WriteStamp } from './records.js'
import { chainOf } from './resolve.js'

/** A tenant as the API shows it. */
export function describeTenant(catalog: CatalogReader, record: TenantRecord): Tenant {
  return {
    name: record.name,
    base: record.base,
    stage: record.stage,
    labels: { ...record.labels },
    chain: [...chainOf(catalog, record.name)],
    dependents: [...catalog.dependents(record.name)].sort(),
    revision: String(record.revision),
  }
}

/** A tenant's own entry as the API shows it. */
export function describeEntry(record: EntryRecord): ServiceEntry {
  return {
    tenant: record.tenant,
    service: record.service,
    state: record.state,
    endpoints: [...record.endpoints],
    ...(record.version === undefined ? {} : { version: record.version }),
    ...(record.commitSha === undefined ? {} : { commitSha: record.commitSha }),
    ...(record.metadata === undefined ? {} : { metadata: { ...record.metadata } }),
    instances: [...record.instances],
    revision: String(record.revision),
  }
}

/** A tenant's own document as the API shows it. */
export function describeDocument(record: DocumentRecord): ConfigDocument {
  const { tenant, service, data, revision } = record
  return { tenant, service, data, revision: String(revision) }
}

/** A gray release as the API shows it. */
export function describeGray({ tenant, service, patch, instances, percent, stamp, revision }: GrayRecord): GrayRelease {
  const members = {
    ...(instances === undefined ? {} : { instances: [...instances] }),
    ...(percent === undefined ? {} : { percent }),
  }
  const { by: actor, onBehalfOf, at } = stamp
  const who = { actor, ...(onBehalfOf === undefined ? {} : { onBehalfOf }), at: new Date(at).toISOString() }
  return { tenant, service, patch, ...members, ...who, revision: String(revision) }
}

/** Who set a layer, and when. */
export function describeStamp({ by, onBehalfOf, at }: WriteStamp): Pick<ExplainLayer, 'actor' | 'onBehalfOf' | 'at'> {
  return { actor: by, ...(onBehalfOf === undefined ? {} : { onBehalfOf }), at: new Date(at).toISOString() }
}
