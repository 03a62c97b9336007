import type { DocumentData, Endpoint, EntrySpec, JsonSchema, Stage } from '@tributary/contract'
import type { StoreRevision } from '@tributary/store'

/** Who wrote a stored value, kept beside it so that `explain` needs no look-up. `at` is epoch milliseconds, for people only. */
export interface WriteStamp {
  readonly by: string
  /** The person for whom the token of `by` wrote. */
  readonly onBehalfOf?: string
  readonly at: number
  readonly runId?: string
}

/** A tenant as stored under `cc/tenant/<tenant>`. */
export interface StoredTenant {
  readonly base: string | null
  readonly stage: Stage
  readonly labels: Readonly<Record<string, string>>
  readonly stamp: WriteStamp
}

/** What a registration says: where a copy is (`ttlSeconds` only for leased instances), or that there is to be none. */
export type Registration =
  { readonly state: 'present'; readonly spec: EntrySpec; readonly ttlSeconds?: number } | { readonly state: 'masked' }

/** One registration under `cc/entry/<tenant>/<service>/<instance>`; the declared one's instance is `DECLARED_INSTANCE`. */
export type StoredRegistration = Registration & { readonly stamp: WriteStamp }

/** A registration in memory. */
export interface RegistrationRecord {
  readonly stored: StoredRegistration
  readonly revision: StoreRevision
  readonly leaseId?: string
}

/** A document under `cc/document/<tenant>/<service or *>`. */
export interface StoredDocument {
  readonly data: DocumentData
  readonly stamp: WriteStamp
}

/** A schema under `cc/schema/<tenant>/<service>`: what the tenant's own copy of the service takes as its config. */
export interface StoredSchema {
  readonly schema: JsonSchema
  readonly stamp: WriteStamp
}

/** What some instances get before all: a patch on the tenant's own document, for the instances named or for a share of all. */
export interface GrayValue {
  /** Random, made when it begins: what the share is drawn by, so that it is not always the same instances. */
  readonly id: string
  readonly patch: DocumentData
  readonly instances?: readonly string[]
  readonly percent?: number
}

/** A gray release under `cc/gray/<tenant>/<service>`. */
export interface StoredGray extends GrayValue {
  readonly stamp: WriteStamp
}

/** A gray release in memory. */
export interface GrayRecord extends StoredGray {
  readonly tenant: string
  readonly service: string
  readonly revision: StoreRevision
}

/** A tenant in memory. */
export interface TenantRecord extends StoredTenant {
  readonly name: string
  readonly revision: StoreRevision
}

/** A tenant's own copy of a service: its declared registration and its live leased instances taken together. */
export interface EntryRecord {
  readonly tenant: string
  readonly service: string
  readonly state: 'present' | 'masked'
  /** Declared endpoints first, then those of the instances in order of their ids. Empty when masked. */
  readonly endpoints: readonly Endpoint[]
  readonly version?: string
  readonly commitSha?: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly instances: readonly string[]
  /** The newest of the registrations' revisions. */
  readonly revision: StoreRevision
  readonly stamp: WriteStamp
}

/** A config document in memory. */
export interface DocumentRecord extends StoredDocument {
  readonly tenant: string
  /** Service name or `*`. */
  readonly service: string
  readonly revision: StoreRevision
}

/** A schema in memory. */
export interface SchemaRecord extends StoredSchema {
  readonly tenant: string
  readonly service: string
  readonly revision: StoreRevision
}

/** Name of the tenant-wide config document. */
export const TENANT_WIDE = '*'
