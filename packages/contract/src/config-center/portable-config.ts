import { Type, type Static } from 'typebox'
import { DocumentName, TenantName } from '../names.js'
import { DocumentData } from './documents.js'

/** A tenant's own config documents, to be kept in a file. Entries, schemas and gray releases are not part of it. */
export const TenantConfig = Type.Object(
  {
    apiVersion: Type.Literal('tributary/v1'),
    kind: Type.Literal('TenantConfig'),
    tenant: Type.Optional({ ...TenantName, description: 'where it was exported; it can be imported anywhere' }),
    // Names by `propertyNames`: typebox fails to fill defaults into records that are closed by a pattern.
    documents: Type.Record(Type.String(), DocumentData, {
      propertyNames: DocumentName,
      description: 'own documents by service; * is the tenant-wide one',
    }),
  },
  { $id: 'TenantConfig', additionalProperties: false },
)
export type TenantConfig = Static<typeof TenantConfig>
