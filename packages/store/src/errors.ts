import { AppError, type ErrorKind } from '@tributary/kit'

/** One line of an error catalogue: what kind of failure a code is, and what it means to the caller. */
export interface StoreErrorDefinition {
  readonly kind: ErrorKind
  readonly description: string
}

/** Every error code that a {@link RevisionedStore} answers with. The reference documentation is generated from it. */
export const STORE_ERRORS = {
  STORE_INVALID_REQUEST: {
    kind: 'invalid_argument',
    description:
      'The request breaks a rule of the store port; the message names the field and the rule. Nothing was written.',
  },
  STORE_TOO_LARGE: {
    kind: 'invalid_argument',
    description:
      'A value is over 1 MiB, or a transaction is over 128 compares, 128 mutations or 1.5 MiB. Nothing was written.',
  },
  STORE_COMPACTED: {
    kind: 'gone',
    description: 'The asked revision is older than the retained history: range again, and watch from that revision.',
  },
  STORE_FUTURE_REVISION: {
    kind: 'invalid_argument',
    description: 'The asked revision has not been reached yet.',
  },
  STORE_LEASE_NOT_FOUND: {
    kind: 'not_found',
    description: 'The lease has ended or was never granted: its keys are gone. Grant a new one.',
  },
  STORE_FULL: {
    kind: 'resource_exhausted',
    description: 'The disk or the quota is full. Nothing was written, reads go on; free space and write again.',
  },
  STORE_UNAVAILABLE: {
    kind: 'unavailable',
    description: 'The store could not be reached or failed during the call. The outcome of a write is unknown.',
  },
  STORE_ACCESS_DENIED: {
    kind: 'unavailable',
    description:
      'The store does not accept this process: wrong user or password, or no permission. Nothing was written; correct the configuration.',
  },
  STORE_CANCELED: {
    kind: 'canceled',
    description: 'The caller aborted the call before it began. Nothing was written.',
  },
  STORE_CLOSED: {
    kind: 'unavailable',
    description: 'The store was closed by this process. Nothing was written.',
  },
  STORE_LOCKED: {
    kind: 'failed_precondition',
    description: 'Another process, or another store of this one, has the file open. Stop it, or name another file.',
  },
  STORE_NOT_WRITABLE: {
    kind: 'failed_precondition',
    description: 'The file or its folder cannot be created or written by this user.',
  },
  STORE_CORRUPT: {
    kind: 'internal',
    description: 'The file is damaged or is not a Tributary store. Restore a backup, or move the file away.',
  },
  STORE_ENCRYPTED: {
    kind: 'failed_precondition',
    description: 'The values of the store are encrypted and this process has no key: name its key file.',
  },
  STORE_NOT_ENCRYPTED: {
    kind: 'failed_precondition',
    description:
      'The store in etcd holds values that are not encrypted, and this process has a key: export it, and import it into an empty place.',
  },
  STORE_KEY_INVALID: {
    kind: 'failed_precondition',
    description: 'The key file is not there, holds no key, or can be used by others than its owner.',
  },
  STORE_KEY_UNKNOWN: {
    kind: 'failed_precondition',
    description:
      'What is stored, or an export, is under a key that the key file does not have: add that key to the file.',
  },
  STORE_VERSION_UNSUPPORTED: {
    kind: 'failed_precondition',
    description: 'The file was written by a newer version of Tributary.',
  },
} as const satisfies Record<string, StoreErrorDefinition>

/** One code of {@link STORE_ERRORS}. */
export type StoreErrorCode = keyof typeof STORE_ERRORS

/** What goes with a code. A revision in `details` is decimal text, so that details can be sent as JSON. */
export interface StoreErrorContext {
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/** The error of `code` with its catalogued kind. Only `STORE_UNAVAILABLE` is retryable: a closed store stays closed. */
export function storeError(code: StoreErrorCode, message: string, context: StoreErrorContext = {}): AppError {
  return new AppError({
    kind: STORE_ERRORS[code].kind,
    code,
    message,
    retryable: code === 'STORE_UNAVAILABLE',
    ...context,
  })
}

/** The error of every call to a store that this process has closed. */
export function closedError(): AppError {
  return storeError('STORE_CLOSED', 'could not use the store: it was closed')
}
