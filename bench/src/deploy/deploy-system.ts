import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createEnvManagerClient, type EnvManagerClient } from '@tributary/client'
import { isAppError } from '@tributary/kit'
import { startSystem, type BenchSystem } from '../system.js'
import type { BenchCluster } from './bench-cluster.js'
import { timelineOf, type DeployTimeline } from './deploy-timeline.js'

const PROGRAM = fileURLToPath(new URL('../../../services/env-manager/dist/main.js', import.meta.url))
const READY_MS = 180_000
const POLL_MS = 20

/** What the manager is told besides its cluster. */
export interface DeploySystemOptions {
  readonly cluster: BenchCluster
  readonly repositoryUrl: string
  /** Of every namespace that it makes: others may use the cluster too. */
  readonly namespacePrefix: string
  /** Laid over the values of each release. */
  readonly values: Readonly<Record<string, unknown>>
}

/** How long a deploy took in milliseconds, and with what. */
export interface Deployed {
  readonly ms: number
  readonly timeline: DeployTimeline
}

/** A config center and an env-manager as processes of their own; the manager looks at git only when it is told to. */
export class DeploySystem implements AsyncDisposable {
  private constructor(
    readonly client: EnvManagerClient,
    private readonly parts: { readonly center: BenchSystem; readonly manager: ChildProcess; readonly folder: string },
  ) {}

  static async start({ cluster, repositoryUrl, namespacePrefix, values }: DeploySystemOptions): Promise<DeploySystem> {
    const folder = await mkdtemp(path.join(tmpdir(), 'tributary-bench-'))
    const center = await startSystem()
    const config = {
      apiVersion: 'tributary/v1',
      kind: 'Platform',
      instance: 'helm-bench',
      repositories: [{ name: 'bench', url: repositoryUrl }],
      pollSeconds: 3600,
      concurrency: 16,
      healthTimeoutSeconds: READY_MS / 1000,
      platform: {
        kubernetes: { kubeconfig: cluster.kubeconfig, namespacePrefix, values, quota: { pods: 100 }, limits: {} },
      },
    }
    const file = path.join(folder, 'tributary.config.yaml')
    await writeFile(file, JSON.stringify(config))
    const manager = spawn(process.execPath, [PROGRAM], {
      env: {
        PATH: `${cluster.helmFolder}:${process.env['PATH'] ?? ''}`,
        HOME: folder,
        TRIBUTARY_CONFIG: file,
        TRIBUTARY_PORT: '0',
        TRIBUTARY_DATA_DIR: path.join(folder, 'data'),
        TRIBUTARY_URL: center.url,
        TRIBUTARY_TOKEN: center.token,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const baseUrl = await urlOf(manager)
    return new DeploySystem(createEnvManagerClient({ baseUrl, token: center.token }), { center, manager, folder })
  }

  /** Tells the manager to look at git. Answers how long it takes until every one of the services runs at the commit. */
  async deploy(environment: string, services: readonly string[], commit: string): Promise<Deployed> {
    const startedAt = performance.now()
    const hintedAt = Date.now()
    await this.client.hintGit()
    while (!(await this.isReady(environment, services, commit))) {
      if (performance.now() - startedAt > READY_MS) throw new Error(await this.describe(environment))
      await sleep(POLL_MS)
    }
    const ms = performance.now() - startedAt
    const { lastRunId } = await this.client.getEnvironment(environment)
    if (lastRunId === null) throw new Error(`${environment} is ready without a run`)
    return { ms, timeline: timelineOf(await this.client.getRun(lastRunId), { hintedAt, seenAt: hintedAt + ms }) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { center, manager, folder } = this.parts
    if (manager.exitCode === null && manager.signalCode === null) {
      const ended = once(manager, 'exit')
      // Its environments are removed with their namespaces: it has nothing to put in order.
      manager.kill('SIGKILL')
      await ended
    }
    await center.stop()
    await rm(folder, { recursive: true, force: true })
  }

  private async isReady(name: string, services: readonly string[], commit: string): Promise<boolean> {
    try {
      const environment = await this.client.getEnvironment(name)
      const deployed = environment.services.filter(({ deployedCommit }) => deployedCommit === commit)
      const missing = services.filter((service) => deployed.every((one) => one.name !== service))
      return environment.phase === 'ready' && missing.length === 0
    } catch (error) {
      if (isAppError(error) && error.kind === 'not_found') return false
      throw error
    }
  }

  private async describe(name: string): Promise<string> {
    const environment = await this.client.getEnvironment(name)
    return `${name} is ${environment.phase}: ${JSON.stringify(environment.conditions)}`
  }
}

/** Where the manager listens, as its log tells. The rest of the log is read and dropped, so that the manager does not wait for a reader. */
function urlOf(manager: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    manager.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-10_000)
      const url = /"url":"([^"]+)"[^\n]*env-manager is ready/.exec(text)?.[1]
      if (url !== undefined) resolve(url)
    })
    manager.once('exit', () => reject(new Error(`the env-manager ended before it was ready: ${text}`)))
  })
}
