import type { Change, EntrySpec, GrayReleaseSpec } from '@tributary/contract'

/** What a write is made of: the public changes, and those that only operations make. */
export type CatalogEdit = Change | InstanceEdit | GrayEdit

/** Edits of single registrations. Public changes address an entry as a whole. */
export type InstanceEdit =
  | {
      readonly op: 'register-instance'
      readonly tenant: string
      readonly service: string
      readonly instance: string
      readonly spec: EntrySpec
      readonly ttlSeconds: number
      readonly leaseId: string
    }
  | {
      readonly op: 'deregister-instance'
      readonly tenant: string
      readonly service: string
      readonly instance: string
    }
  /** Takes away the declared registration and leaves leased instances, which only their processes and leases end. */
  | { readonly op: 'delete-declared'; readonly tenant: string; readonly service: string }

/** Edits of gray releases. */
export type GrayEdit =
  | {
      readonly op: 'apply-gray'
      readonly tenant: string
      readonly service: string
      readonly spec: Omit<GrayReleaseSpec, 'draw'>
      /** For one that begins; one that is under way keeps its own. */
      readonly id: string
      readonly expectedRevision?: string
    }
  | {
      readonly op: 'delete-gray'
      readonly tenant: string
      readonly service: string
      readonly expectedRevision?: string
    }
