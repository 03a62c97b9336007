import { failuresOf, type ErrorCatalogue } from '@tributary/kit'

/** Every error code that the config center makes itself. The store's codes (`STORE_*`) pass through it unchanged. */
export const ERRORS = {
  INVALID_REQUEST: {
    kind: 'invalid_argument',
    description:
      'A path parameter, query parameter or body breaks its schema; details name the field, its type and the rule.',
  },
  INVALID_TRANSACTION: {
    kind: 'invalid_argument',
    description: 'The changes of one transaction contradict each other.',
  },
  INVALID_TENANT: {
    kind: 'failed_precondition',
    description: 'The tenant would break a rule of chains or stages.',
  },
  DOCUMENT_TOO_LARGE: {
    kind: 'invalid_argument',
    description: 'A document is larger than 256 KiB or nested deeper than 64.',
  },
  ENTRY_TOO_LARGE: { kind: 'invalid_argument', description: 'A service entry is larger than 32 KiB.' },
  SCHEMA_INVALID: {
    kind: 'invalid_argument',
    description:
      'A config schema is no JSON schema (2020-12 or draft-07), refers outside itself, is larger than 64 KiB, or takes too long to check with.',
  },
  SCHEMA_TIME_SPENT: {
    kind: 'resource_exhausted',
    description:
      'The new schemas of one write take longer to compile than one write may; nothing is stored. Those that were compiled are remembered: send it again.',
  },
  SCHEMA_VIOLATION: {
    kind: 'failed_precondition',
    description:
      'After the write a resolved document would break its schema where it does not now; details name path, rule and type. Correct it, or say schema=warn.',
  },
  BODY_TOO_LARGE: { kind: 'invalid_argument', description: 'The request body is larger than the server takes.' },
  UNSUPPORTED_MEDIA_TYPE: { kind: 'invalid_argument', description: 'The request body is not JSON.' },
  TRANSACTION_TOO_LARGE: {
    kind: 'invalid_argument',
    description: 'One transaction would write more than the store takes; split it.',
  },
  UNAUTHENTICATED: {
    kind: 'unauthenticated',
    description: 'No bearer token, or one that is unknown, revoked or expired.',
  },
  WORKLOAD_IDENTITY_UNAVAILABLE: {
    kind: 'unavailable',
    description:
      'The platform does not say now whose token a workload’s is (it does not answer, or does not let us ask); nobody gets in.',
  },
  PERMISSION_DENIED: { kind: 'permission_denied', description: 'The token’s role does not allow this.' },
  ROUTE_NOT_FOUND: { kind: 'not_found', description: 'There is no such path or method.' },
  TENANT_NOT_FOUND: { kind: 'not_found', description: 'The tenant does not exist.' },
  ENTRY_NOT_FOUND: { kind: 'not_found', description: 'The tenant has no entry of its own for the service.' },
  SCHEMA_NOT_FOUND: {
    kind: 'not_found',
    description: 'The copy of the service that the tenant sees came without a config schema.',
  },
  GRAY_RELEASE_NOT_FOUND: {
    kind: 'not_found',
    description: 'The tenant has no gray release of the service under way.',
  },
  DOCUMENT_NOT_FOUND: { kind: 'not_found', description: 'The tenant has no document of its own for the service.' },
  SUBSCRIPTION_NOT_FOUND: { kind: 'not_found', description: 'No replica has a live stream of that id.' },
  SUBSCRIPTION_WITHOUT_SERVICE: {
    kind: 'failed_precondition',
    description: 'Calls are reported on a stream that names no service, so they would have no caller.',
  },
  TOO_MANY_SUBSCRIBERS: {
    kind: 'resource_exhausted',
    description: 'The replica has as many streams and long polls as it takes.',
  },
  TOKEN_NOT_FOUND: { kind: 'not_found', description: 'There is no token with this id.' },
  BASE_NOT_FOUND: { kind: 'failed_precondition', description: 'The base that a tenant names does not exist.' },
  TENANT_CYCLE: { kind: 'failed_precondition', description: 'The base overlays the tenant already.' },
  CHAIN_TOO_LONG: { kind: 'failed_precondition', description: 'A chain would be longer than 8 tenants.' },
  TENANT_HAS_DEPENDENTS: {
    kind: 'failed_precondition',
    description: 'Other tenants overlay the one that is to be deleted; delete them first or reparent them.',
  },
  REVISION_IN_FUTURE: { kind: 'failed_precondition', description: 'The revision has not been reached yet.' },
  TENANT_ABSENT_AT_REVISION: {
    kind: 'failed_precondition',
    description: 'A rollback names a revision at which the tenant did not exist.',
  },
  REVISION_CONFLICT: {
    kind: 'conflict',
    description: 'A precondition (expectedRevision) does not hold; details.current is the state that is there.',
  },
  WRITE_CONTENTION: {
    kind: 'unavailable',
    description: 'Other writers kept changing the same tenant; nothing was written; try again.',
  },
  WRITE_OUTCOME_UNKNOWN: {
    kind: 'unavailable',
    description: 'The store went away during a write, which may or may not have happened; repeating it is safe.',
  },
  HISTORY_FORGOTTEN: {
    kind: 'gone',
    description:
      'What is asked lies before the oldest history that is kept; details.knownFromRevision says what is known.',
  },
  EXPORT_DAMAGED: {
    kind: 'invalid_argument',
    description: 'The file is not an export of a store, was cut off, or was changed; nothing was written.',
  },
  EXPORT_ENCRYPTED: {
    kind: 'failed_precondition',
    description: 'The file is an encrypted export, and no key file was named; nothing was written.',
  },
  STORE_NOT_EMPTY: {
    kind: 'failed_precondition',
    description: 'An import goes into an empty store; nothing was written.',
  },
  IMPORT_MISMATCH: {
    kind: 'conflict',
    description: 'The store does not hold what the import wrote: something else wrote at the same time.',
  },
  READ_TIMEOUT: { kind: 'unavailable', description: 'The store did not say in time what its current revision is.' },
  REPLICA_UNREACHABLE: {
    kind: 'unavailable',
    description: 'Another replica, which is still registered, does not answer; within seconds it does or it is not.',
  },
  NOT_READY: { kind: 'unavailable', description: 'The replica has not read the store yet, or is shutting down.' },
  CLIENT_GONE: { kind: 'canceled', description: 'The client closed the connection while the server waited for it.' },
  CONFIG_INVALID: {
    kind: 'invalid_argument',
    description: 'The process environment of the server is wrong; the message lists everything at once.',
  },
  BOOTSTRAP_FAILED: {
    kind: 'unavailable',
    description: 'The Secret with the first tokens was not made; the message says what the API server answered.',
  },
  INTERNAL: { kind: 'internal', description: 'A bug; the server’s log has it under the request id.' },
} as const satisfies ErrorCatalogue

/** A code of {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS

/** Makes an error of the catalogue. The message says what was attempted, on what, and what to do. */
export const failure = failuresOf(ERRORS)
