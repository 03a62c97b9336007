import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openEtcdStore, type RevisionedStore } from '@tributary/store'
import { EtcdServer } from '../../packages/testkit/src/etcd/etcd-server.js'
import { FaultProxy } from '../../packages/testkit/src/fault-proxy.js'
import { ServerProcess } from '../support/server-process.js'

/** Where the config center keeps its keys when it is started as a process. */
const PREFIX = 'tributary/config-center/'
const REPLICAS = 3

/** What a world is made of. Default: three members, and nothing beside. */
export interface WorldOptions {
  readonly members?: number
  readonly env?: Readonly<Record<string, string>>
}

/** Three etcd members, three replicas as processes, and a proxy that fails on command before each of all these. */
export class SoakWorld {
  readonly replicas: ServerProcess[] = []
  /** Before the replicas: what the subscribers connect to. */
  readonly proxies: FaultProxy[] = []
  /** Before the members of etcd: what the replicas connect to. */
  readonly etcdProxies: FaultProxy[] = []
  token = ''
  readonly folder: string
  readonly #ports: number[] = []

  readonly #env: Readonly<Record<string, string>>

  private constructor(
    readonly etcd: readonly EtcdServer[],
    readonly store: RevisionedStore,
    { folder, env }: { readonly folder: string; readonly env: Readonly<Record<string, string>> },
  ) {
    this.folder = folder
    this.#env = env
  }

  /** Starts everything: so many members of etcd, and replicas with `env` beside what they need. */
  static async start({ members = 3, env = {} }: WorldOptions = {}): Promise<SoakWorld> {
    const folder = await mkdtemp(path.join(tmpdir(), 'tributary-soak-'))
    const etcd = await EtcdServer.startCluster(members)
    const store = await openEtcdStore({ endpoints: etcd.map(({ endpoint }) => endpoint), prefix: PREFIX })
    const world = new SoakWorld(etcd, store, { folder, env })
    for (const { port } of etcd) world.etcdProxies.push(await FaultProxy.start(port))
    for (let index = 0; index < REPLICAS; index += 1) {
      await world.startReplica(index)
      world.proxies.push(await FaultProxy.start(world.#ports[index] ?? 0))
    }
    world.token = (await readFile(world.#tokenFile(0), 'utf8')).trim()
    return world
  }

  /** Restarts every replica in turn, each when the one before is ready again. */
  async rollReplicas(): Promise<void> {
    for (const index of this.replicas.keys()) {
      await this.stopReplica(index, 'SIGTERM')
      await this.startReplica(index)
    }
  }

  /** Starts a replica, at the port that it had before. */
  async startReplica(index: number): Promise<void> {
    const env = {
      TRIBUTARY_STORE: 'etcd',
      TRIBUTARY_ETCD_ENDPOINTS: this.etcdProxies.map(({ port }) => `http://127.0.0.1:${port}`).join(','),
      TRIBUTARY_PORT: `${this.#ports[index] ?? 0}`,
      TRIBUTARY_ADMIN_TOKEN_FILE: this.#tokenFile(index),
      TRIBUTARY_LOG_LEVEL: 'info',
      ...this.#env,
    }
    const options = { service: 'config-center', env, readyMessage: 'config center is ready' } as const
    const { server, url } = await ServerProcess.start(options)
    this.replicas[index] = server
    this.#ports[index] = Number(new URL(url).port)
  }

  async stopReplica(index: number, signal: NodeJS.Signals): Promise<void> {
    await this.replicas[index]?.end(signal)
  }

  /** Ends everything and removes what it left. */
  async stop(): Promise<void> {
    for (const proxy of [...this.proxies, ...this.etcdProxies]) await proxy.close()
    for (const replica of this.replicas) await replica.end('SIGKILL')
    await this.store.close()
    for (const member of this.etcd) await member.stop()
    await rm(this.folder, { recursive: true, force: true })
  }

  #tokenFile(index: number): string {
    return path.join(this.folder, `admin-${index}.token`)
  }
}
