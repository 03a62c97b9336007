import type { CliRuntime } from '../runtime.js'

/** Waits for somebody who wants `up` to end. */
export interface StopRequest {
  readonly asked: Promise<void>
  /** Gives signals back to the process. */
  readonly release: () => void
}

/**
 * The first Ctrl-C, SIGTERM or SIGHUP (and, when wanted, the end of standard input) asks; the next signal forces: `force` then ends
 * the process.
 */
export function listenForStop(
  runtime: CliRuntime,
  { onStdinEnd, force }: { readonly onStdinEnd: boolean; readonly force: () => void },
): StopRequest {
  let ask = (): void => {}
  const asked = new Promise<void>((resolve) => (ask = resolve))
  let signals = 0
  const release = runtime.takeSignals(() => {
    signals += 1
    if (signals === 1) ask()
    else force()
  })
  if (onStdinEnd) void runtime.stdinEnded().then(ask)
  return { asked, release }
}
