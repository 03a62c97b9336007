import { Type, type Static } from 'typebox'
import { StoreRevisionText } from '../names.js'
import { EntrySpec } from './entries.js'

/** Registers a process of a service under a lease of `ttlSeconds` seconds; repeating it is a heartbeat that may change the spec. */
export const RegisterInstance = Type.Object(
  { spec: EntrySpec, ttlSeconds: Type.Integer({ minimum: 2, maximum: 300, default: 15 }) },
  { $id: 'RegisterInstance', additionalProperties: false },
)
export type RegisterInstance = Static<typeof RegisterInstance>

/** The granted time to live; send the heartbeat at a third of it. */
export const InstanceLease = Type.Object(
  { storeRevision: StoreRevisionText, ttlSeconds: Type.Number() },
  { $id: 'InstanceLease', additionalProperties: false },
)
export type InstanceLease = Static<typeof InstanceLease>
