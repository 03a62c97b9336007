import { Type, type Static } from 'typebox'
import { DocumentName, StoreRevisionText, TenantName } from '../names.js'

/** The JSON object of a config document or of a merge patch (RFC 7396). */
export const DocumentData = Type.Record(Type.String(), Type.Unknown(), { description: 'JSON object' })
export type DocumentData = Record<string, unknown>

/** A tenant's own config document as it is stored. */
export const ConfigDocument = Type.Object(
  { tenant: TenantName, service: DocumentName, data: DocumentData, revision: StoreRevisionText },
  { $id: 'ConfigDocument', additionalProperties: false },
)
export type ConfigDocument = Static<typeof ConfigDocument>
