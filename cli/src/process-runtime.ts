import { systemClock } from '@tributary/kit'
import type { CliRuntime, TextSink } from './runtime.js'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The runtime of this very process, with its environment variables. Call it once: it listens for signals and for the end of its outputs from then on. */
export function createProcessRuntime(env: CliRuntime['env']): CliRuntime {
  const controller = new AbortController()
  let handler: ((signal: NodeJS.Signals) => void) | undefined
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (handler !== undefined) return handler(signal)
      // A command that does not look at its signal must not keep a person waiting: the second Ctrl-C ends it.
      if (controller.signal.aborted) process.exit(130)
      controller.abort(new DOMException('interrupted', 'AbortError'))
    })
  }
  // `tributary … | head` closes our output early: that is no failure. What has taken the signals has things to end first.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (handler === undefined) process.exit(error.code === 'EPIPE' ? 0 : 1)
  })
  // Whoever started us may be gone, and with it the reader of our notes: no reason to end without cleaning up.
  process.stderr.on('error', () => {})
  return {
    env,
    cwd: process.cwd(),
    stdout: sinkOf(process.stdout),
    stderr: sinkOf(process.stderr),
    interactive: process.stdin.isTTY === true && process.stdout.isTTY === true,
    readStdin,
    stdinEnded,
    exit: (status) => process.exit(status),
    clock: systemClock,
    signal: controller.signal,
    takeSignals: (taken) => {
      handler = taken
      return () => (handler = undefined)
    },
  }
}

function sinkOf(stream: NodeJS.WriteStream): TextSink {
  return {
    write: (text) => void stream.write(text),
    get isTTY() {
      return stream.isTTY === true
    },
    get columns() {
      return stream.columns ?? 0
    },
  }
}

async function readStdin(maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new RangeError(`standard input is longer than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function stdinEnded(): Promise<void> {
  const { stdin } = process
  stdin.resume()
  // Whoever waits for this has other things that keep the process alive, or wants it to end. A file has no unref.
  if ('unref' in stdin) stdin.unref()
  await new Promise<void>((resolve) => {
    for (const event of ['end', 'close', 'error']) stdin.once(event, () => resolve())
  })
}
