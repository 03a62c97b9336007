import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { ROOT } from './platform.js'
import { waitFor } from './wait-for.js'

/** What `main.js` of a service is started with. */
export interface ServerOptions {
  readonly service: 'config-center' | 'env-manager'
  /** Its whole environment but PATH. */
  readonly env: Readonly<Record<string, string>>
  /** A log line with this message names the address in `url`. */
  readonly readyMessage: string
}

/** What {@link ServerProcess.launch} takes. */
export type LaunchOptions = Omit<ServerOptions, 'readyMessage'> & { readonly program?: readonly string[] }

/**
 * A start either gets there or ends; this is for one that hangs. It takes a second of a core, of which a busy machine gives a thirtieth:
 * half a minute was not enough.
 */
const START_MS = 120_000
/** Ends a server with whoever started it. Vitest ends its workers by signals, so nothing can be done in them at their end. */
const TIED = path.join(ROOT, 'test/support/tied-to-parent.mjs')

/** A service as a process of its own: to be killed, frozen and thawed. It ends with this process at the latest, and with it what it runs in its data folder. */
export class ServerProcess {
  readonly #child: ChildProcess
  #output = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (this.#output += String(chunk)))
  }

  /** Starts it and does not wait for anything. `program`: a file that stands for `main.js`, with its arguments. */
  static launch({ service, env, program }: LaunchOptions): ServerProcess {
    const main = path.join(ROOT, 'services', service, 'dist/main.js')
    const child = spawn(process.execPath, [TIED, ...(program ?? [main])], {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    return new ServerProcess(child)
  }

  /** Starts it and resolves when it serves, with its address. */
  static async start(options: ServerOptions): Promise<{ readonly server: ServerProcess; readonly url: string }> {
    const server = ServerProcess.launch(options)
    const url = await server.urlIn(options.readyMessage)
    return { server, url }
  }

  /** Exit status; null while it runs or when a signal ended it. */
  get exitCode(): number | null {
    return this.#child.exitCode
  }

  /** Whether it is gone, however it went. */
  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  get output(): string {
    return this.#output
  }

  /** Waits for the log line with this message and answers its `url`. Rejects at once when the server has ended without. */
  async urlIn(message: string): Promise<string> {
    const lookFor = (): string | null => {
      const line = this.#output.split('\n').find((text) => text.includes(message))
      const url = line === undefined ? undefined : /"url":"([^"]+)"/.exec(line)?.[1]
      if (url !== undefined) return url
      if (this.hasEnded) return null
      throw new Error(this.#output.slice(-2_000))
    }
    const url = await waitFor(`"${message}"`, lookFor, { timeoutMs: START_MS })
    if (url === null) throw new Error(`the server ended before "${message}": ${this.#output.slice(-2_000)}`)
    return url
  }

  /** What follows `start` in the last line that begins with it; undefined: there is none. */
  lastLine(start: string): string | undefined {
    return this.#output
      .split('\n')
      .slice(0, -1)
      .findLast((line) => line.startsWith(start))
      ?.slice(start.length)
  }

  /** Whether it has logged this message. */
  has(message: string): boolean {
    return this.#output.includes(message)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Lets go of it as the end of this process does. */
  abandon(): void {
    this.#child.stdin?.destroy()
  }

  /** Ends it with the signal and resolves with its exit status. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    if (this.hasEnded) return child.exitCode
    const exited = once(child, 'exit')
    child.kill(signal)
    if (signal !== 'SIGSTOP') child.kill('SIGCONT')
    await exited
    return child.exitCode
  }
}
