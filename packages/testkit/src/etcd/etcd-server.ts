import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../eventually.js'

/** How to start an etcd server. */
export interface EtcdServerOptions {
  /** Files of a server certificate: its clients then speak TLS. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly clientCaFile?: string }
  /** Further arguments, for example `--quota-backend-bytes=…`. */
  readonly args?: readonly string[]
}

const START_MS = 15_000
/** Elections and lease checks of a cluster of one need not be slow; the shortest lease is then 1 s. */
const TIMING = ['--heartbeat-interval=20', '--election-timeout=200']

/** Why etcd cannot be started here, with what to do about it; undefined when it can. */
export function etcdMissing(): string | undefined {
  const { error } = spawnSync('etcd', ['--version'], { stdio: 'ignore' })
  return error === undefined ? undefined : 'etcd is not installed: apt-get install -y etcd-server'
}

/** A real etcd of one member on free ports of 127.0.0.1, with a data directory of its own. */
export class EtcdServer {
  readonly port: number
  readonly #peerPort: number
  readonly #metricsPort: number
  readonly #dataDir: string
  readonly #options: EtcdServerOptions
  #child: ChildProcess | undefined
  #log = ''

  private constructor(ports: readonly number[], dataDir: string, options: EtcdServerOptions) {
    const [port = 0, peerPort = 0, metricsPort = 0] = ports
    this.port = port
    this.#peerPort = peerPort
    this.#metricsPort = metricsPort
    this.#dataDir = dataDir
    this.#options = options
  }

  /** Resolves when the server has a leader and answers. */
  static async start(options: EtcdServerOptions = {}): Promise<EtcdServer> {
    const dataDir = await mkdtemp(join(tmpdir(), 'tributary-etcd-'))
    const server = new EtcdServer(await freePorts(3), dataDir, options)
    try {
      await server.restart()
      return server
    } catch (error) {
      await server.stop()
      throw error
    }
  }

  /** The client URL. */
  get endpoint(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('etcd does not run')
    return this.#child.pid
  }

  /** Starts the server on its data again, after {@link kill}. */
  async restart(): Promise<void> {
    const child = spawn('etcd', this.#arguments(), {
      // Without the caller's environment: an ETCD_* variable of it would change the server.
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#child = child
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#log = (this.#log + text).slice(-4_000)
    })
    // A test run that dies takes its servers with it.
    const reap = (): unknown => child.kill('SIGKILL')
    process.once('exit', reap)
    child.once('exit', () => process.removeListener('exit', reap))
    await eventually(() => this.#checkHealth(child), { timeoutMs: START_MS, intervalMs: 20 })
  }

  /** Ends the process at once, as a power cut of the process would; the data stays. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  /** Stops the process without ending it: its sockets stay open and silent. */
  freeze(): void {
    process.kill(this.pid, 'SIGSTOP')
  }

  /** Lets a frozen process go on. */
  thaw(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  /** Ends the process and removes its data. */
  async stop(): Promise<void> {
    await this.kill()
    await rm(this.#dataDir, { recursive: true, force: true })
  }

  async #checkHealth(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null) throw new Error(`etcd ended with status ${child.exitCode}: ${this.#log}`)
    const answer = await fetch(`http://127.0.0.1:${this.#metricsPort}/health`, { signal: AbortSignal.timeout(1_000) })
    const body = await answer.text()
    if (!/"health":\s*"true"/.test(body)) throw new Error(`etcd is not healthy: ${body} ${this.#log}`)
  }

  #arguments(): string[] {
    const peer = `http://127.0.0.1:${this.#peerPort}`
    return [
      '--name=one',
      `--data-dir=${this.#dataDir}`,
      `--listen-client-urls=${this.endpoint}`,
      `--advertise-client-urls=${this.endpoint}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=one=${peer}`,
      `--listen-metrics-urls=http://127.0.0.1:${this.#metricsPort}`,
      '--logger=zap',
      '--log-level=error',
      ...TIMING,
      ...this.#tlsArguments(),
      ...(this.#options.args ?? []),
    ]
  }

  #tlsArguments(): string[] {
    const { tls } = this.#options
    if (tls === undefined) return []
    const client = tls.clientCaFile === undefined ? [] : ['--client-cert-auth', `--trusted-ca-file=${tls.clientCaFile}`]
    return [`--cert-file=${tls.certFile}`, `--key-file=${tls.keyFile}`, ...client]
  }
}

/** Ports that are free now, all different: they are held together before any is let go. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports: number[] = []
  for (const server of servers) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address !== null && typeof address === 'object') ports.push(address.port)
  }
  for (const server of servers) {
    server.close()
    await once(server, 'close')
  }
  return ports
}
