import { AppError, isAppError, type ErrorKind } from '@tributary/kit'

/** What the exit status says; `docs/reference/cli.md` lists it. */
export const EXIT_CODES = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  unavailable: 5,
  denied: 6,
  timedOut: 7,
  interrupted: 130,
} as const

/** One line for each exit status. */
export const EXIT_CODE_MEANINGS: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT_CODES.ok, 'done'],
  [EXIT_CODES.failed, 'it failed, e.g. an environment whose deploy fails'],
  [EXIT_CODES.usage, 'wrong use: an unknown option, a bad name or value, a bad config file'],
  [EXIT_CODES.notFound, 'not found'],
  [EXIT_CODES.conflict, 'conflict: somebody else changed it, it exists already, or its state does not allow this'],
  [EXIT_CODES.unavailable, 'a server is not reachable or is overloaded; trying again may help'],
  [EXIT_CODES.denied, 'no token, an unknown token, or a role that may not do this'],
  [EXIT_CODES.timedOut, 'not ready or not applied by every subscriber in time'],
  [EXIT_CODES.interrupted, 'interrupted by Ctrl-C'],
]

const EXIT_CODE_BY_KIND: Readonly<Record<ErrorKind, number>> = {
  invalid_argument: EXIT_CODES.usage,
  unauthenticated: EXIT_CODES.denied,
  permission_denied: EXIT_CODES.denied,
  not_found: EXIT_CODES.notFound,
  gone: EXIT_CODES.notFound,
  already_exists: EXIT_CODES.conflict,
  conflict: EXIT_CODES.conflict,
  failed_precondition: EXIT_CODES.conflict,
  resource_exhausted: EXIT_CODES.unavailable,
  unavailable: EXIT_CODES.unavailable,
  deadline_exceeded: EXIT_CODES.timedOut,
  canceled: EXIT_CODES.interrupted,
  internal: EXIT_CODES.failed,
}

/** Every error that the CLI itself raises. */
export const CLI_ERRORS = {
  CLI_NO_SERVER: { kind: 'unavailable', description: 'No server is configured and no context file was found.' },
  CLI_UNTRUSTED_CONTEXT: { kind: 'permission_denied', description: 'The context file belongs to another user.' },
  CLI_BAD_CONTEXT: {
    kind: 'invalid_argument',
    description: 'The context file cannot be read or is not what `up` writes.',
  },
  CLI_BAD_VALUE: { kind: 'invalid_argument', description: 'An argument or option has a value that makes no sense.' },
  CLI_NO_TOKEN: { kind: 'unauthenticated', description: 'The token file cannot be read or is empty.' },
  CLI_NOT_READY: { kind: 'deadline_exceeded', description: 'The environment was not ready in time.' },
  CLI_ENVIRONMENT_FAILED: { kind: 'internal', description: 'The environment’s deploy failed.' },
  CLI_RUN_FAILED: { kind: 'internal', description: 'The watched run did not succeed.' },
  CLI_NOT_MASKED: { kind: 'failed_precondition', description: 'The entry that should be unmasked is not masked.' },
  CLI_NO_RUN: { kind: 'not_found', description: 'The environment has no run yet.' },
  CLI_WOULD_BE_REFUSED: {
    kind: 'failed_precondition',
    description: 'A trial (--dry-run) found that the server would refuse the write for its schemas.',
  },
  CLI_NOT_CONVERGED: { kind: 'deadline_exceeded', description: 'Not every live subscriber applied the write in time.' },
  CLI_NOT_A_REPOSITORY: {
    kind: 'failed_precondition',
    description: 'The folder is not in a git repository with a commit.',
  },
  CLI_PORT_IN_USE: { kind: 'failed_precondition', description: 'A port that `up` wants is taken.' },
  CLI_DATA_UNWRITABLE: { kind: 'failed_precondition', description: 'The data folder cannot be written.' },
  CLI_FILE_UNWRITABLE: { kind: 'failed_precondition', description: 'A file that `init` makes cannot be written.' },
  CLI_DATA_LOCKED: { kind: 'conflict', description: 'Another `up` uses the data folder.' },
  CLI_CANCELED: { kind: 'canceled', description: 'A person has ended the questions of `init`; nothing was written.' },
  CLI_COMMAND_NOT_FOUND: {
    kind: 'invalid_argument',
    description: 'The program that `exec` should run cannot be started.',
  },
  CLI_CONFIG_UNAVAILABLE: {
    kind: 'unavailable',
    description: '`exec` has neither a server nor a snapshot to take config from.',
  },
} as const satisfies Record<string, { kind: ErrorKind; description: string }>

/** Code of one of {@link CLI_ERRORS}. */
export type CliErrorCode = keyof typeof CLI_ERRORS

/** An error of the catalogue. The message reads: what; cause; next step. */
export function cliError(code: CliErrorCode, message: string, cause?: unknown): AppError {
  return new AppError({ kind: CLI_ERRORS[code].kind, code, message, cause })
}

/** A bad argument or option. */
export function badValue(message: string): AppError {
  return cliError('CLI_BAD_VALUE', message)
}

/** Exit status for whatever a command threw. */
export function exitCodeOf(error: unknown): number {
  return error instanceof AppError ? EXIT_CODE_BY_KIND[error.kind] : EXIT_CODES.failed
}

const NEXT_STEPS: Readonly<Record<string, string>> = {
  SERVER_UNREACHABLE: 'start it with `tributary up`, or set TRIBUTARY_URL and TRIBUTARY_ENV_MANAGER_URL',
}

const NEXT_STEPS_BY_KIND: Partial<Readonly<Record<ErrorKind, string>>> = {
  unauthenticated: 'set TRIBUTARY_TOKEN or use --token-file',
}

/** One line for people: `error: what; cause; next step`. */
export function errorLine(error: unknown): string {
  if (!isAppError(error)) return `error: ${error instanceof Error ? error.message : String(error)}`
  const message = error.message.replace(/\s*\n\s*/g, ' ')
  // It says itself where a token can be had.
  const ofKind = error.code === 'CLI_NO_TOKEN' ? undefined : NEXT_STEPS_BY_KIND[error.kind]
  const next = NEXT_STEPS[error.code] ?? ofKind
  if (next === undefined || message.includes(next)) return `error: ${message}`
  // Some messages end with a question or as a sentence.
  const [end] = /[.?!]$/.exec(message) ?? []
  if (end === undefined) return `error: ${message}; ${next}`
  return `error: ${message} ${next.charAt(0).toUpperCase()}${next.slice(1)}`
}
