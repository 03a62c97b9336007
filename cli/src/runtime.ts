import type { Clock } from '@tributary/kit'

/** Where text goes. `columns` is what a line may be wide; 0 when nobody watches. */
export interface TextSink {
  readonly write: (text: string) => void
  readonly isTTY: boolean
  readonly columns: number
}

/** Everything of the process that commands touch, so that a test can stand in for it. */
export interface CliRuntime {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute. */
  readonly cwd: string
  readonly stdout: TextSink
  readonly stderr: TextSink
  /** Somebody can be asked: standard input and output are a terminal. */
  readonly interactive: boolean
  /** All of standard input as text; rejects when it is longer than `maxBytes`. */
  readonly readStdin: (maxBytes: number) => Promise<string>
  /** Resolves when nobody can write to standard input any more. */
  readonly stdinEnded: () => Promise<void>
  /** Ends the process at once. */
  readonly exit: (status: number) => void
  readonly clock: Clock
  /** Aborts at the first Ctrl-C, SIGTERM or SIGHUP, unless a handler has taken them. */
  readonly signal: AbortSignal
  /** Until the returned function is called, the process's signals go to `handler` and do nothing else. */
  readonly takeSignals: (handler: (signal: NodeJS.Signals) => void) => () => void
  /** Default: the global `fetch`. */
  readonly fetch?: typeof fetch
}
