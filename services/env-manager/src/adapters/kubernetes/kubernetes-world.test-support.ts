import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Endpoint } from '@tributary/contract'
import type { Static } from 'typebox'
import { expect } from 'vitest'
import { eventually, kubeTools, repositoryRoot, testImage, testKubeconfig } from '@tributary/testkit'
import { kubernetesWithDefaults, type KubernetesConfigFile } from '../../domain/kubernetes-config.js'
import type {
  Platform,
  PlatformCapability,
  PlatformContext,
  PlatformResource,
  WorkloadSpec,
} from '../../ports/platform.js'
import type { ContractProgram, PlatformHarness, ProgramSource } from '../../ports/platform-contract.test-support.js'
import type { ChartReleases } from '../../ports/chart-releases.js'
import { createHelmChartReleases } from '../helm/index.js'
import type { KubeApi } from './api/kube-api.js'
import { RESOURCES, type KubeNamespace, type KubeObject, type KubeService, type Resource } from './api/kube-objects.js'
import { createKubernetesPlatform } from './create-kubernetes-platform.js'
import type { KubernetesPlatform } from './kubernetes-platform.js'
import { LABELS } from './names.js'
import { openCluster, type Cluster } from './open-cluster.js'

/** Programs by name: the contract's and more. Plain node without dependencies. */
const PROGRAMS = {
  serves: `
    const http = require('node:http')
    process.on('SIGTERM', () => process.exit(0))
    const boot = Math.random()
    http.createServer((request, response) => {
      console.log('asked for ' + request.url)
      if (request.url === '/die') process.exit(3)
      response.end(JSON.stringify({ pid: boot, version: process.env.TRIBUTARY_VERSION, variables: process.env }))
    }).listen(Number(process.env.PORT), process.env.HOST, () => console.log('listening'))`,
  dies: `console.error('fatal: no database'); process.exit(1)`,
  'never-ready': `
    process.on('SIGTERM', () => process.exit(0))
    require('node:http').createServer((_, response) => { response.statusCode = 503; response.end() }).listen(Number(process.env.PORT), process.env.HOST)`,
} as const satisfies Readonly<Record<ContractProgram, string>>

/** Values that make tests quick: the images cannot be pulled, and nobody needs a long farewell. */
export const TEST_VALUES = {
  image: { pullPolicy: 'Never' },
  terminationGracePeriodSeconds: 2,
  drainSeconds: 1,
  runAsUser: 1000,
  runAsGroup: 1000,
  resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '256Mi' } },
}

/** Of the platform, by its contract. */
export const CAPABILITIES: ReadonlySet<PlatformCapability> = new Set([
  'run-from-image',
  'in-place-upgrade',
  'service-names',
])

/** What a world may differ in. */
export interface KubernetesWorldOptions {
  readonly config?: Static<typeof KubernetesConfigFile>
  /** Another way to the test cluster, or another account of it. Default: the test's own. */
  readonly kubeconfig?: string
  readonly removalPatienceMs?: number
  readonly patienceMs?: number
}

/** Platforms of an instance of its own on the test cluster. Its environments are prefixed, so that several worlds do not meet. */
export class KubernetesWorld implements PlatformHarness {
  readonly deadlineMs = 90_000
  readonly environments: PlatformHarness['environments']
  readonly recorded: PlatformResource[] = []
  /** Addresses that have answered. */
  private readonly answering = new Set<string>()
  readonly logged: string[] = []
  platform: KubernetesPlatform
  readonly signal = new AbortController().signal

  private constructor(
    readonly instance: string,
    readonly directory: string,
    readonly api: KubeApi,
    private readonly create: () => KubernetesPlatform,
  ) {
    this.platform = create()
    this.environments = { one: `${instance}-x`, other: `${instance}-y`, base: `${instance}-base` }
  }

  static async create(options: KubernetesWorldOptions = {}): Promise<KubernetesWorld> {
    const directory = await mkdtemp(join(tmpdir(), 'tributary-kubernetes-'))
    const instance = `kube-${process.pid}-${randomBytes(3).toString('hex')}`
    const { removalPatienceMs, patienceMs } = options
    const patience = patienceMs === undefined ? {} : { patienceMs }
    const { helm } = await kubeTools()
    const home = join(directory, 'helm')
    const newCharts = (): ChartReleases =>
      createHelmChartReleases({ host: process.env, home, cluster: { kubeconfig }, helm })
    const config = kubernetesWithDefaults({ values: TEST_VALUES, ...options.config })
    const kubeconfig = options.kubeconfig ?? testKubeconfig()
    const open = (): Cluster => openCluster({ kubeconfig }, patience)
    const create = (): KubernetesPlatform =>
      createKubernetesPlatform({
        instance,
        config,
        cluster: open(),
        charts: newCharts(),
        sourceControl: NO_SOURCE,
        dataDirectory: directory,
        bundledChart: join(repositoryRoot, 'charts/service'),
        ...(removalPatienceMs === undefined ? {} : { removalPatienceMs }),
      })
    const world = new KubernetesWorld(instance, directory, openCluster({ kubeconfig: testKubeconfig() }).api, create)
    await world.platform.start({ signal: AbortSignal.timeout(30_000) })
    return world
  }

  get context(): PlatformContext {
    return {
      signal: this.signal,
      record: async (resource) => void this.recorded.push(resource),
      log: (text) => void this.logged.push(text),
    }
  }

  async publish(service: string, program: ContractProgram): Promise<ProgramSource> {
    const image = await testImage({
      name: `tributary-contract-${program}`,
      files: { 'server.cjs': PROGRAMS[program] },
      command: ['/app/server.cjs'],
    })
    const commitSha = createHash('sha1').update(randomBytes(8)).digest('hex')
    return {
      repository: 'shop',
      commitSha,
      version: `v1.0-1-${commitSha.slice(0, 8)}`,
      directory: service,
      definition: {
        apiVersion: 'tributary/v1',
        kind: 'Service',
        name: service,
        health: { readiness: '/readyz' },
        run: { image },
      },
    }
  }

  /** A spec of a program in `environment`. */
  async spec(service: string, program: ContractProgram, more: Partial<WorkloadSpec> = {}): Promise<WorkloadSpec> {
    const source = await this.publish(service, program)
    return {
      environment: this.environments.one,
      generation: 1,
      service,
      environmentVariables: {},
      secrets: {},
      ...source,
      ...more,
    }
  }

  /**
   * As a program in the cluster would resolve the name, one CNAME after the other. A node that does not know a new ClusterIP yet lets the first
   * packets of a connection disappear, and one that does not know its pods yet refuses it: such a connection is given up soon, and made anew. An
   * address that has answered once must not refuse again.
   */
  async get(endpoint: Endpoint, path: string): Promise<{ readonly status: number; readonly text: string }> {
    const target = await this.resolve(endpoint)
    const known = `${target.address}:${target.port}`
    const deadline = performance.now() + CLUSTER_IP_MS
    for (;;) {
      try {
        const answer = await ask({ ...target, path })
        this.answering.add(known)
        return answer
      } catch (error) {
        const isNew = error instanceof ConnectTimeout || (isRefusal(error) && !this.answering.has(known))
        if (!isNew || performance.now() > deadline) throw error
        await delay(RETRY_MS)
      }
    }
  }

  async getOnce(endpoint: Endpoint, path: string): Promise<{ readonly status: number; readonly text: string }> {
    return ask({ ...(await this.resolve(endpoint)), path })
  }

  async kill(endpoint: Endpoint): Promise<void> {
    await this.get(endpoint, '/die').catch(() => undefined)
  }

  async crash(): Promise<Platform> {
    await this.platform.stop()
    this.platform = this.create()
    await this.platform.start({ signal: AbortSignal.timeout(30_000) })
    return this.platform
  }

  /** A resource of the cluster, made by somebody else than Tributary. */
  async make(resource: Resource, object: KubeObject): Promise<void> {
    await this.api.create(resource, object, this.signal)
  }

  /** Namespaces of this world that are still there. */
  async namespaces(): Promise<readonly string[]> {
    const labelSelector = `${LABELS.instance}=${this.instance}`
    const { items } = await this.api.list<KubeNamespace>(RESOURCES.namespace, { labelSelector }, this.signal)
    return items.map(({ metadata }) => metadata.name)
  }

  /** Asks for the removal of all that is left; {@link untilClean} waits for it, so that tests need not one after the other. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of await this.namespaces()) {
      await this.api.delete(RESOURCES.namespace, { name }, { signal: this.signal })
      leaving.add(name)
    }
    await this.platform.stop()
    await rm(this.directory, { recursive: true, force: true })
  }

  private async resolve({ host, port }: Endpoint): Promise<{ readonly address: string; readonly port: number }> {
    const [name = '', namespace = ''] = host.split('.')
    const service = await this.api.find<KubeService>(RESOURCES.service, { namespace, name }, this.signal)
    const spec = service?.spec
    if (spec === undefined) throw new Error(`ENOTFOUND ${host}`)
    if (spec.type === 'ExternalName')
      return this.resolve({ name: '', protocol: 'http', host: spec.externalName ?? '', port })
    return { address: spec.clusterIP ?? '', port }
  }
}

const leaving = new Set<string>()

/** Resolves when the namespaces of all disposed worlds of this process are gone. For `afterAll`. */
export async function untilClean(): Promise<void> {
  const { api } = openCluster({ kubeconfig: testKubeconfig() })
  for (const name of leaving) {
    const isThere = (): Promise<unknown> => api.find(RESOURCES.namespace, { name }, AbortSignal.timeout(10_000))
    await eventually(async () => expect(await isThere()).toBeUndefined(), { timeoutMs: 120_000, intervalMs: 250 })
  }
  leaving.clear()
}

const CLUSTER_IP_MS = 20_000

const RETRY_MS = 50

class ConnectTimeout extends Error {}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'
}

function ask({
  address,
  port,
  path,
}: {
  readonly address: string
  readonly port: number
  readonly path: string
}): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    // As an option it holds while the connection is made, too; setTimeout of a request begins after that.
    const sent = request({ host: address, port, path, agent: false, timeout: 1000 }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    sent.once('timeout', () => sent.destroy(new ConnectTimeout(`${address}:${port} does not answer`)))
    sent.once('error', reject).end()
  })
}

/** These worlds run images alone. */
const NO_SOURCE = {
  ensureCheckout: () => Promise.reject(new Error('no source control in this world')),
  removeCheckout: async () => undefined,
  listCheckouts: async () => [],
}
