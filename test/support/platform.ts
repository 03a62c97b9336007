import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  createConfigCenterClient,
  createEnvManagerClient,
  type ConfigCenterClient,
  type EnvManagerClient,
} from '@tributary/client'
import type { Environment } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import { stringify } from 'yaml'
import { waitFor } from './wait-for.js'

/** The project's root. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CLI = path.join(ROOT, 'cli/bin/tributary.mjs')

/** A start either gets there or ends; this is for one that hangs. It takes seconds of a core, of which a busy machine gives a thirtieth. */
const START_MS = 120_000

/** What the platform is started with. `settings` are members of `tributary.config.yaml`. */
export interface PlatformOptions {
  readonly repositories: Readonly<Record<string, string>>
  readonly settings?: Readonly<Record<string, unknown>>
}

/**
 * `tributary up` as a process of its own on a folder that survives it: it can be killed and started again. It stops, and its services
 * with it, when this process has ended, whatever ended it: then nobody holds its standard input open any more.
 */
export class PlatformFixture {
  readonly directory: string
  configCenter!: ConfigCenterClient
  envManager!: EnvManagerClient
  gatewayUrl = ''
  /** Where the env-manager and with it the console is, the config center beside it, and the admin's token. */
  access = { url: '', configCenterUrl: '', token: '' }
  #child: ChildProcess | undefined
  #output = ''

  private constructor(directory: string) {
    this.directory = directory
  }

  /** The data folder. */
  get data(): string {
    return path.join(this.directory, '.tributary')
  }

  /** A new folder with a configuration; nothing runs yet. */
  static async prepare(): Promise<PlatformFixture> {
    return new PlatformFixture(await realpath(await mkdtemp(path.join(tmpdir(), 'tributary-test-'))))
  }

  async writeConfig({ repositories, settings = {} }: PlatformOptions): Promise<void> {
    const config = {
      apiVersion: 'tributary/v1',
      kind: 'Platform',
      repositories: Object.entries(repositories).map(([name, url]) => ({ name, url })),
      ...settings,
    }
    await writeFile(path.join(this.directory, 'tributary.config.yaml'), stringify(config))
  }

  /** Starts it on free ports and waits until it answers. `env` is laid over this process's own environment. */
  async start(env: NodeJS.ProcessEnv = {}): Promise<void> {
    await this.launch(env)
    await this.untilUp()
    await this.#openClients()
  }

  /** Starts the process and does not wait for it: it may be killed before it has got anywhere. */
  async launch(env: NodeJS.ProcessEnv = {}): Promise<void> {
    await rm(this.#contextFile, { force: true })
    const ports = ['--port', '0', '--env-manager-port', '0', '--gateway-port', '0']
    const config = path.join(this.directory, 'tributary.config.yaml')
    const flags = ['--stop-on-stdin-end', '--data', this.data, '--config', config, ...ports]
    const child = spawn(process.execPath, [CLI, 'up', ...flags], {
      cwd: this.directory,
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child = child
    this.#output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (this.#output += String(chunk)))
  }

  /** True once the process has written where it listens. */
  async isUp(): Promise<boolean> {
    return readFile(this.#contextFile).then(
      () => true,
      () => false,
    )
  }

  get #contextFile(): string {
    return path.join(this.data, 'context.json')
  }

  /** Waits until the process has written where it listens. Rejects at once, with what it printed, when it ends before. */
  async untilUp(): Promise<void> {
    const wait = { timeoutMs: START_MS }
    const isUp = await waitFor('the start of `tributary up`', async () => (await this.isUp()) || this.#outcome(), wait)
    if (isUp !== true) throw new Error(`\`tributary up\` ended: ${this.#output}`)
  }

  /** `ended` once the process has; undefined while it runs. */
  #outcome(): 'ended' | undefined {
    return this.#child?.exitCode === null && this.#child.signalCode === null ? undefined : 'ended'
  }

  async #openClients(): Promise<void> {
    const context = JSON.parse(await readFile(this.#contextFile, 'utf8')) as Record<
      'url' | 'envManagerUrl' | 'gatewayUrl' | 'tokenFile',
      string
    >
    const token = (await readFile(context.tokenFile, 'utf8')).trim()
    this.configCenter = createConfigCenterClient({ baseUrl: context.url, token })
    this.envManager = createEnvManagerClient({ baseUrl: context.envManagerUrl, token })
    this.gatewayUrl = context.gatewayUrl
    this.access = { url: context.envManagerUrl, configCenterUrl: context.url, token }
  }

  /** Sends it a signal that it goes on after. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** Lets go of it as the end of this process does. */
  abandon(): void {
    this.#child?.stdin?.destroy()
  }

  /** Ends it at once, as the kernel or a power cut would. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Ends it as Ctrl-C does. Answers its exit status. */
  async stop(): Promise<number | null> {
    return this.#end('SIGINT')
  }

  /** Stops it and removes the folder. */
  async remove(): Promise<void> {
    await this.stop()
    await rm(this.directory, { recursive: true, force: true })
  }

  /** GETs JSON from a service of an environment through the gateway, as a browser would. */
  get<T>(environment: string, servicePath: string): Promise<T> {
    const { hostname, port } = new URL(this.gatewayUrl)
    const headers = { host: `${environment}.localhost:${port}`, accept: 'application/json' }
    return new Promise((resolve, reject) => {
      const call = request({ hostname, port, path: servicePath, headers, agent: false }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.on('end', () => {
          if (response.statusCode === 200) resolve(JSON.parse(text) as T)
          else reject(new Error(`${environment}${servicePath} answers ${response.statusCode}: ${text.slice(0, 500)}`))
        })
      })
      call.on('error', reject)
      call.end()
    })
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
        throw new Error(
          `${environment.phase}: ${JSON.stringify(environment.conditions.filter(({ status }) => status !== 'True'))}`,
        )
      },
      { timeoutMs: 60_000 },
    )
  }

  /** Waits until there is no environment of this name. */
  async untilGone(name: string): Promise<void> {
    await waitFor(`environment ${name} to be gone`, async () => isGone(this.envManager.getEnvironment(name)), {
      timeoutMs: 60_000,
    })
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
    child.kill(signal)
    return exited
  }
}

/** True when the call fails with a not-found error. */
export async function isGone(call: Promise<unknown>): Promise<boolean> {
  try {
    await call
    return false
  } catch (error) {
    if (isAppError(error) && error.kind === 'not_found') return true
    throw error
  }
}
