import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { eventually } from '../eventually.js'

/** How a server is started, and how it says that it is ready. */
export interface ServerProcessOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** A line of its output that means that it answers. */
  readonly readyLine: RegExp
  /** Default 15,000. */
  readonly readyTimeoutMs?: number
}

/** A server of a test: it gets no variable of ours but the PATH, and does not outlive the test run. */
export class ServerProcess {
  readonly #child: ChildProcess
  #output = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    const reap = (): unknown => child.kill('SIGKILL')
    process.once('exit', reap)
    child.once('exit', () => process.removeListener('exit', reap))
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output = (this.#output + text).slice(-20_000)))
    }
  }

  /** Resolves when the server is ready; rejects with its last output when it ends before, or takes too long. */
  static async start(options: ServerProcessOptions): Promise<ServerProcess> {
    const env = { PATH: process.env['PATH'] ?? '', ...options.env }
    const child = spawn(options.command, options.args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const failed = new Promise<never>((_resolve, reject) => child.once('error', reject))
    const server = new ServerProcess(child)
    const ready = eventually(() => server.#requireReady(options), {
      timeoutMs: options.readyTimeoutMs ?? 15_000,
      intervalMs: 20,
    })
    try {
      await Promise.race([ready, failed])
      return server
    } catch (error) {
      await server.stop()
      throw error
    }
  }

  /** Asks it to end, and waits until it has. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }

  #requireReady({ command, readyLine }: ServerProcessOptions): void {
    if (this.#child.exitCode !== null) throw new Error(`${command} ended: ${this.#output}`)
    if (!readyLine.test(this.#output)) throw new Error(`${command} is not ready: ${this.#output}`)
  }
}
