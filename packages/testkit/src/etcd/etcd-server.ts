import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../eventually.js'
import { freePorts } from '../free-ports.js'

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

/** Ports, folder and place in its cluster of one member. */
interface Member {
  readonly name: string
  readonly port: number
  readonly peerPort: number
  readonly metricsPort: number
  readonly dataDir: string
}

/** A real etcd member on free ports of 127.0.0.1, with a data directory of its own; alone, or one of a cluster. */
export class EtcdServer {
  readonly #member: Member
  readonly #initialCluster: string
  readonly #options: EtcdServerOptions
  #child: ChildProcess | undefined
  #log = ''

  private constructor(member: Member, initialCluster: string, options: EtcdServerOptions) {
    this.#member = member
    this.#initialCluster = initialCluster
    this.#options = options
  }

  /** Starts a cluster of one. Resolves when it answers. */
  static async start(options: EtcdServerOptions = {}): Promise<EtcdServer> {
    const [server] = await EtcdServer.startCluster(1, options)
    if (server === undefined) throw new Error('a cluster of one has a member')
    return server
  }

  /** Starts a cluster of `count` members. Resolves when it has a leader and every member answers. */
  static async startCluster(count: number, options: EtcdServerOptions = {}): Promise<EtcdServer[]> {
    const members = await makeMembers(count)
    const initialCluster = members.map((member) => `${member.name}=${peerUrl(member)}`).join(',')
    const servers = members.map((member) => new EtcdServer(member, initialCluster, options))
    try {
      // Together: none is healthy before most of them are there.
      await Promise.all(servers.map((server) => server.restart()))
      return servers
    } catch (error) {
      await Promise.all(servers.map((server) => server.stop()))
      throw error
    }
  }

  /** Its port for clients. */
  get port(): number {
    return this.#member.port
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

  /** Stops the process without ending it: its sockets stay open and silent. Resolves when none of its threads runs any more. */
  async freeze(): Promise<void> {
    const { pid } = this
    process.kill(pid, 'SIGSTOP')
    await eventually(async () => {
      const states = await threadStates(pid)
      if (states.some((state) => state !== 'T')) throw new Error(`etcd still runs: ${states.join('')}`)
    })
  }

  /** Lets a frozen process go on. */
  thaw(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  /** Ends the process and removes its data. */
  async stop(): Promise<void> {
    await this.kill()
    await rm(this.#member.dataDir, { recursive: true, force: true })
  }

  async #checkHealth(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null) throw new Error(`etcd ended with status ${child.exitCode}: ${this.#log}`)
    const answer = await fetch(`http://127.0.0.1:${this.#member.metricsPort}/health`, {
      signal: AbortSignal.timeout(1_000),
    })
    const body = await answer.text()
    if (!/"health":\s*"true"/.test(body)) throw new Error(`etcd is not healthy: ${body} ${this.#log}`)
  }

  #arguments(): string[] {
    const peer = peerUrl(this.#member)
    return [
      `--name=${this.#member.name}`,
      `--data-dir=${this.#member.dataDir}`,
      `--listen-client-urls=${this.endpoint}`,
      `--advertise-client-urls=${this.endpoint}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=${this.#initialCluster}`,
      `--listen-metrics-urls=http://127.0.0.1:${this.#member.metricsPort}`,
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

/** One letter for each thread, as Linux tells it; `T` is stopped. */
async function threadStates(pid: number): Promise<string[]> {
  const tasks = `/proc/${pid}/task`
  const stats = await Promise.all((await readdir(tasks)).map((task) => readFile(join(tasks, task, 'stat'), 'utf8')))
  // The second field is the name, in parentheses, and may itself hold any character.
  return stats.map((stat) => stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3))
}

async function makeMembers(count: number): Promise<Member[]> {
  const ports = await freePorts(3 * count)
  const members: Member[] = []
  for (let index = 0; index < count; index++) {
    const [port = 0, peerPort = 0, metricsPort = 0] = ports.slice(3 * index)
    const dataDir = await mkdtemp(join(tmpdir(), 'tributary-etcd-'))
    members.push({ name: `member-${index}`, port, peerPort, metricsPort, dataDir })
  }
  return members
}

function peerUrl({ peerPort }: Member): string {
  return `http://127.0.0.1:${peerPort}`
}
