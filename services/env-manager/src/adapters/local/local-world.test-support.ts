import { request } from 'node:http'
import { join } from 'node:path'
import type { Endpoint, ServiceDefinition } from '@tributary/contract'
import type { Platform, PlatformContext, PlatformResource, WorkloadSpec } from '../../ports/platform.js'
import type { ContractProgram, PlatformHarness, ProgramSource } from '../../ports/platform-contract.test-support.js'
import type { SourceControl } from '../../ports/source-control.js'
import { createGitSourceControl } from '../git/index.js'
import { TestRepository, temporaryFolder, type TemporaryFolder } from '../git/git-repository.test-support.js'
import type { LocalPlatformOptions } from './local-parts.js'
import { createLocalPlatform } from './local-platform.js'
import { createProcessTable } from './process-table.js'

/** Programs by name: the contract's and more. Plain node without dependencies, so that they start at once. */
export const PROGRAMS = {
  serves: `
    const http = require('node:http')
    process.on('SIGTERM', () => process.exit(0))
    http.createServer((request, response) => {
      console.log('asked for ' + request.url)
      response.end(JSON.stringify({ pid: process.pid, version: process.env.TRIBUTARY_VERSION, variables: process.env, arguments: process.argv.slice(2) }))
    }).listen(Number(process.env.PORT), process.env.HOST, () => console.log('listening'))`,
  dies: `console.error('fatal: no database'); process.exit(1)`,
  'never-ready': `
    require('node:http').createServer((_, response) => { response.statusCode = 503; response.end() }).listen(Number(process.env.PORT), process.env.HOST)`,
  'ignores-sigterm': `
    process.on('SIGTERM', () => console.log('not yet'))
    require('node:http').createServer((_, response) => response.end()).listen(Number(process.env.PORT), process.env.HOST)`,
  'has-grandchildren': `
    const { spawn } = require('node:child_process')
    const sleeper = 'process.on("SIGTERM", () => undefined); setInterval(() => undefined, 1000)'
    spawn(process.execPath, ['-e', sleeper], { stdio: 'ignore' })
    spawn(process.execPath, ['-e', sleeper], { stdio: 'ignore', detached: true }).unref()
    require('node:http').createServer((_, response) => response.end()).listen(Number(process.env.PORT), process.env.HOST)`,
  chatters: `
    const http = require('node:http')
    let count = 0
    http.createServer((request, response) => {
      for (let i = 0; i < 200; i += 1) console.log('line ' + (count += 1) + ' ' + 'x'.repeat(100))
      response.end()
    }).listen(Number(process.env.PORT), process.env.HOST)`,
} as const

/** Name of one of {@link PROGRAMS}. */
export type Program = keyof typeof PROGRAMS

/** A temporary data folder with a repository beside it, and platforms on it. */
export class LocalWorld implements PlatformHarness {
  readonly recorded: PlatformResource[] = []
  readonly logged: string[] = []
  platform: Platform

  readonly folder: TemporaryFolder
  readonly repository: TestRepository
  readonly sourceControl: SourceControl

  private constructor(
    surroundings: { folder: TemporaryFolder; repository: TestRepository; sourceControl: SourceControl },
    readonly options: LocalPlatformOptions,
  ) {
    this.folder = surroundings.folder
    this.repository = surroundings.repository
    this.sourceControl = surroundings.sourceControl
    this.platform = createLocalPlatform(options)
  }

  readonly environments = { one: 'feature-x', other: 'feature-y', base: 'feature-base' }
  readonly deadlineMs = 15_000

  /** A started platform; `more` changes its options. */
  static async create(more: Partial<LocalPlatformOptions> = {}): Promise<LocalWorld> {
    const folder = await temporaryFolder()
    const repository = await TestRepository.create(join(folder.path, 'shop'))
    const dataDirectory = join(folder.path, 'data')
    const sourceControl = createGitSourceControl({ dataDirectory, host: process.env })
    const instance = `test-${process.pid}-${Math.random().toString(36).slice(2, 8)}`
    const options = { dataDirectory, instance, sourceControl, host: process.env, graceMs: 500, ...more }
    const world = new LocalWorld({ folder, repository, sourceControl }, options)
    await world.platform.start({ signal: AbortSignal.timeout(10_000) })
    return world
  }

  get context(): PlatformContext {
    return {
      signal: new AbortController().signal,
      record: async (resource) => void this.recorded.push(resource),
      log: (text) => void this.logged.push(text),
    }
  }

  /** Commits files, fetches the commit and describes a service in it. */
  async publishFiles(
    service: string,
    files: Readonly<Record<string, string>>,
    definition: Partial<ServiceDefinition>,
  ): Promise<ProgramSource> {
    const commitSha = await this.repository.commit(files)
    await this.sourceControl.ensureCommit(this.repository.ref, commitSha, { signal: AbortSignal.timeout(10_000) })
    const version = await this.sourceControl.describeVersion(this.repository.ref, commitSha)
    return {
      repository: this.repository.ref.name,
      commitSha,
      version,
      directory: service,
      definition: { apiVersion: 'tributary/v1', kind: 'Service', name: service, ...definition },
    }
  }

  async publish(service: string, program: ContractProgram | Program): Promise<ProgramSource> {
    return this.publishFiles(
      service,
      { [`${service}/server.js`]: PROGRAMS[program], [`${service}/changed`]: `${Math.random()}` },
      { run: { local: { command: 'node server.js' } }, health: { readiness: '/readyz' } },
    )
  }

  /** A spec of a program in `feature-x`. */
  async spec(service: string, program: Program, more: Partial<WorkloadSpec> = {}): Promise<WorkloadSpec> {
    return this.specOf(service, await this.publish(service, program), more)
  }

  specOf(service: string, source: ProgramSource, more: Partial<WorkloadSpec> = {}): WorkloadSpec {
    return {
      environment: 'feature-x',
      generation: 1,
      service,
      environmentVariables: {},
      secrets: {},
      ...source,
      ...more,
    }
  }

  /** Deploys and waits for health. */
  async run(spec: WorkloadSpec): Promise<Awaited<ReturnType<Platform['awaitHealthy']>>> {
    await this.platform.ensureSpace(spec.environment, spec.generation, this.context)
    const { workloadId } = await this.platform.deployWorkload(spec, this.context)
    return this.platform.awaitHealthy(workloadId, { signal: AbortSignal.timeout(15_000), timeoutMs: 15_000 })
  }

  getOnce(endpoint: Endpoint, path: string): Promise<{ readonly status: number; readonly text: string }> {
    return this.get(endpoint, path)
  }

  get(endpoint: Endpoint, path: string): Promise<{ readonly status: number; readonly text: string }> {
    return new Promise((resolve, reject) => {
      request({ host: endpoint.host, port: endpoint.port, path, agent: false }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
      })
        .once('error', reject)
        .end()
    })
  }

  async kill(endpoint: Endpoint): Promise<void> {
    const { pid }: { pid: number } = JSON.parse((await this.get(endpoint, '/')).text)
    process.kill(pid, 'SIGKILL')
  }

  async crash(): Promise<Platform> {
    await this.platform.stop({ workloads: 'keep' })
    this.platform = createLocalPlatform(this.options)
    await this.platform.start({ signal: AbortSignal.timeout(10_000) })
    return this.platform
  }

  /** Pids that bear this world's mark. */
  async livePids(): Promise<number[]> {
    const entries = await createProcessTable().list()
    return entries
      .filter(({ marker }) => marker?.startsWith(`${this.options.instance}/`) === true)
      .map(({ pid }) => pid)
  }

  /** Ends everything, and fails when something outlives it: no test may leave a process behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    const environments = new Set((await this.platform.listResources()).map(({ environment }) => environment))
    for (const environment of environments) await this.platform.removeSpace(environment, this.context)
    await this.platform.stop({ workloads: 'stop' })
    const left = await this.livePids()
    await this.folder[Symbol.asyncDispose]()
    if (left.length > 0) throw new Error(`processes ${left.join(', ')} outlived their test`)
  }
}
