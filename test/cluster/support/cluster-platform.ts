import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import {
  createConfigCenterClient,
  createEnvManagerClient,
  type ConfigCenterClient,
  type EnvManagerClient,
} from '@tributary/client'
import type { Environment } from '@tributary/contract'
import { kubeTools, testKubeconfig } from '@tributary/testkit'
import { stringify } from 'yaml'
import { isGone } from '../../support/platform.js'
import { ServerProcess } from '../../support/server-process.js'
import { waitFor } from '../../support/wait-for.js'

const run = promisify(execFile)

/** Address of this machine as pods reach it; that of the test cluster's bridge by default. */
const HOST = process.env['TRIBUTARY_TEST_HOST'] ?? '10.200.0.1'

/** Chart values that make tests quick: no image can be pulled, and nobody needs a long farewell. */
const VALUES = {
  image: { pullPolicy: 'Never' },
  terminationGracePeriodSeconds: 2,
  drainSeconds: 1,
  resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '256Mi' } },
}

const MORTAL_MANAGER = path.join(import.meta.dirname, 'mortal-manager.mjs')
const CONNECT_MS = 4_000
const NOT_CONNECTED = 'no connection'

/** What a fixture is started with. */
export interface ClusterPlatformOptions {
  readonly instance: string
  readonly repositories: Readonly<Record<string, string>>
  /** Members of `tributary.config.yaml`. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** Members of `platform.kubernetes`. */
  readonly kubernetes?: Readonly<Record<string, unknown>>
}

/** The two servers as processes of this machine, with the test cluster as their platform. */
export class ClusterPlatform {
  configCenter!: ConfigCenterClient
  envManager!: EnvManagerClient
  #center: ServerProcess | undefined
  #manager: ServerProcess | undefined
  #token = ''
  #centerUrl = ''

  private constructor(
    readonly directory: string,
    readonly instance: string,
  ) {}

  /** Starts the config center and writes the configuration; the env-manager is started by {@link startManager}. */
  static async prepare(options: ClusterPlatformOptions): Promise<ClusterPlatform> {
    const directory = await mkdtemp(path.join(tmpdir(), 'tributary-cluster-'))
    const platform = new ClusterPlatform(directory, options.instance)
    await platform.writeConfig(options)
    await platform.#startCenter()
    return platform
  }

  async writeConfig({ instance, repositories, settings = {}, kubernetes = {} }: ClusterPlatformOptions): Promise<void> {
    const config = {
      apiVersion: 'tributary/v1',
      kind: 'Platform',
      instance,
      repositories: Object.entries(repositories).map(([name, url]) => ({ name, url })),
      pollSeconds: 1,
      drainSeconds: 1,
      platform: {
        kubernetes: { kubeconfig: testKubeconfig(), namespacePrefix: this.prefix, values: VALUES, ...kubernetes },
      },
      ...settings,
    }
    await writeFile(path.join(this.directory, 'tributary.config.yaml'), stringify(config))
  }

  /** Starts the env-manager and waits until it serves. */
  async startManager(): Promise<void> {
    const manager = await this.launchManager()
    const baseUrl = await manager.urlIn('env-manager is ready')
    this.envManager = createEnvManagerClient({ baseUrl, token: this.#token })
  }

  /** Starts an env-manager that ends by itself: see mortal-manager.mjs. */
  async launchMortalManager(life: {
    readonly environment: string
    readonly passed: readonly string[]
  }): Promise<ServerProcess> {
    return this.launchManager([MORTAL_MANAGER, JSON.stringify(life)])
  }

  /** Whether the env-manager serves; {@link envManager} asks it from then on. */
  async isServing(manager: ServerProcess): Promise<boolean> {
    if (!manager.has('env-manager is ready')) return false
    this.envManager = createEnvManagerClient({
      baseUrl: await manager.urlIn('env-manager is ready'),
      token: this.#token,
    })
    return true
  }

  /** Starts the env-manager and does not wait: it may be killed before it has got anywhere. `program`: what stands for its `main.js`. */
  async launchManager(program?: readonly string[]): Promise<ServerProcess> {
    const { helm } = await kubeTools()
    const manager = ServerProcess.launch({
      service: 'env-manager',
      ...(program === undefined ? {} : { program }),
      env: {
        PATH: `${path.dirname(helm)}:${process.env['PATH'] ?? ''}`,
        TRIBUTARY_CONFIG: path.join(this.directory, 'tributary.config.yaml'),
        TRIBUTARY_DATA_DIR: path.join(this.directory, 'env-manager'),
        TRIBUTARY_PORT: '0',
        TRIBUTARY_URL: this.#centerUrl,
        TRIBUTARY_TOKEN: this.#token,
      },
    })
    this.#manager = manager
    return manager
  }

  /** Before the names of this installation's namespaces: every installation has an environment `integration`. */
  get prefix(): string {
    return `${this.instance}-`
  }

  /** The namespace of an environment. */
  namespaceOf(environment: string): string {
    return `${this.prefix}${environment}`
  }

  /** What the env-manager has printed. */
  get managerOutput(): string {
    return this.#manager?.output ?? ''
  }

  /** Ends the env-manager at once. */
  async killManager(): Promise<void> {
    await this.#manager?.end('SIGKILL')
    this.#manager = undefined
  }

  /** Waits until the environment is ready, at the named commits when some are given. */
  async untilReady(name: string, commits: Readonly<Record<string, string>> = {}): Promise<Environment> {
    return waitFor(
      `environment ${name} to become ready`,
      async () => {
        const environment = await this.envManager.getEnvironment(name)
        const deployed = Object.entries(commits).every(([service, commit]) =>
          environment.services.some((one) => one.name === service && one.deployedCommit === commit),
        )
        if (environment.phase === 'ready' && deployed) return environment
        const unmet = environment.conditions.filter(({ status }) => status !== 'True')
        throw new Error(`${environment.phase}: ${JSON.stringify(unmet)}`)
      },
      { timeoutMs: 120_000, everyMs: 100 },
    )
  }

  /** Waits until there is no environment of this name. */
  async untilGone(name: string): Promise<void> {
    const gone = (): Promise<boolean> => isGone(this.envManager.getEnvironment(name))
    await waitFor(`environment ${name} to be gone`, gone, { timeoutMs: 120_000, everyMs: 100 })
  }

  /** Runs kubectl against the test cluster. Answers what it printed. */
  async kubectl(args: readonly string[], input = ''): Promise<string> {
    const { kubectl } = await kubeTools()
    const child = run(kubectl, args, {
      env: { KUBECONFIG: testKubeconfig(), HOME: this.directory },
      maxBuffer: 16 * 1024 * 1024,
    })
    child.child.stdin?.end(input)
    return (await child).stdout.trim()
  }

  /**
   * GETs JSON from within a pod of a service, by a program that knows nothing of Tributary: as `http://inventory/stock` means there. A node that does not
   * know a new ClusterIP yet lets the first packets of a connection disappear: such a connection is given up soon, and made anew.
   */
  async getFromPod<T>(environment: string, service: string, request: { url: string; tenant?: string }): Promise<T> {
    const headers = request.tenant === undefined ? {} : { baggage: `tributary-tenant=${request.tenant}` }
    const options = JSON.stringify({ headers, timeout: CONNECT_MS })
    const script = `
      const sent = require('node:http').get(${JSON.stringify(request.url)}, ${options}, (response) => {
        sent.setTimeout(0)
        response.pipe(process.stdout)
        response.once('end', () => { process.exitCode = response.statusCode === 200 ? 0 : 1 })
      })
      sent.once('timeout', () => { console.log('${NOT_CONNECTED}'); process.exit(0) })`
    // Without the variables that tell the SDK who it is.
    const pod = ['-n', this.namespaceOf(environment), `deploy/${service}`]
    const args = ['exec', ...pod, '--', 'env', '-i', '/usr/bin/node', '-e', script]
    const text = await waitFor(`${request.url} to be reached from ${environment}`, async () => {
      const answer = await this.kubectl(args)
      return answer !== NOT_CONNECTED && answer
    })
    return JSON.parse(text) as T
  }

  /** `kind/namespace/name` of everything in the cluster that bears this instance's label, namespaces included. */
  async leftOver(environment?: string): Promise<string[]> {
    const selector = [
      `tributary.dev/instance=${this.instance}`,
      ...(environment === undefined ? [] : [`tributary.dev/environment=${environment}`]),
    ].join(',')
    const kinds = (await this.kubectl(['api-resources', '--verbs=list', '-o', 'name'])).split('\n')
    const readable = kinds.filter((kind) => !kind.startsWith('componentstatuses') && !kind.startsWith('events'))
    const format = 'jsonpath={range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name}{"\\n"}{end}'
    const args = ['get', readable.join(','), '-A', '-l', selector, '--ignore-not-found', '-o', format]
    return (await this.kubectl(args)).split('\n').filter((line) => line !== '')
  }

  /**
   * Ends both servers, and removes every namespace of this instance. Without `untilGone` the cluster does that by itself afterwards: it takes a quarter of a minute, and no
   * other instance has the same names.
   */
  async remove({ untilGone = false } = {}): Promise<void> {
    await this.#manager?.end('SIGTERM')
    await this.#center?.end('SIGTERM')
    await this.kubectl([
      'delete',
      'namespace',
      '-l',
      `tributary.dev/instance=${this.instance}`,
      `--wait=${untilGone}`,
      '--timeout=120s',
    ])
    await rm(this.directory, { recursive: true, force: true })
  }

  async #startCenter(): Promise<void> {
    const tokenFile = path.join(this.directory, 'admin.token')
    const env = {
      TRIBUTARY_HOST: HOST,
      TRIBUTARY_PORT: '0',
      TRIBUTARY_DATA_DIR: path.join(this.directory, 'config-center'),
      TRIBUTARY_ADMIN_TOKEN_FILE: tokenFile,
    }
    const center = await ServerProcess.start({ service: 'config-center', env, readyMessage: 'config center is ready' })
    this.#center = center.server
    this.#centerUrl = center.url
    this.#token = (await readFile(tokenFile, 'utf8')).trim()
    this.configCenter = createConfigCenterClient({ baseUrl: center.url, token: this.#token })
  }
}
