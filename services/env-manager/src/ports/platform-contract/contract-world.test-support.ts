import type { Endpoint } from '@tributary/contract'
import type { Platform, PlatformContext, PlatformResource, WorkloadSpec } from '../platform.js'

/**
 * Programs that a platform under test must be able to run. All listen on PORT unless said otherwise.
 *
 * | program | behaviour |
 * | --- | --- |
 * | serves | `/readyz` 200; `/` answers `{version, variables, pid}` as JSON; prints `listening` and every path it is asked for |
 * | dies | prints `fatal: no database` and exits with 1 at once |
 * | never-ready | listens; `/readyz` answers 503 |
 */
export type ContractProgram = 'serves' | 'dies' | 'never-ready'

/** What a workload spec says about a program that was put where the platform can run it. */
export type ProgramSource = Pick<WorkloadSpec, 'repository' | 'commitSha' | 'directory' | 'definition' | 'version'>

/** A platform under test and its surroundings. */
export interface PlatformHarness extends AsyncDisposable {
  /** Started. */
  readonly platform: Platform
  /** Environments that nobody else uses, where platforms are shared between tests. */
  readonly environments: { readonly one: string; readonly other: string; readonly base: string }
  /** How long anything that is waited for may take here, in milliseconds. */
  readonly deadlineMs: number
  /** Makes the program available as a new commit of a service. */
  publish(service: string, program: ContractProgram): Promise<ProgramSource>
  /** As {@link PlatformHarness.get}, by one connection that must be taken. */
  getOnce(endpoint: Endpoint, path: string): Promise<{ readonly status: number; readonly text: string }>
  /** Asks an endpoint over HTTP. Where a network may not know a new address yet, as often as it takes. */
  get(endpoint: Endpoint, path: string): Promise<{ readonly status: number; readonly text: string }>
  /** Ends the service's process behind the platform's back. */
  kill(endpoint: Endpoint): Promise<void>
  /** The manager dies without a word, and another one starts: a new, started platform on what the old one left. */
  crash(): Promise<Platform>
}

const DEADLINE_MS = 15_000

/** State of one test of the contract. */
export class ContractWorld {
  private opened: PlatformHarness | undefined
  platformNow: Platform | undefined
  recorded: PlatformResource[] = []
  logged: string[] = []
  readonly controller = new AbortController()

  constructor(private readonly create: () => Promise<PlatformHarness>) {}

  async open(): Promise<void> {
    this.opened = await this.create()
    this.platformNow = this.opened.platform
    this.recorded = []
    this.logged = []
  }

  async close(): Promise<void> {
    await this.opened?.[Symbol.asyncDispose]()
    this.opened = undefined
  }

  get harness(): PlatformHarness {
    if (this.opened === undefined) throw new Error('the harness is not open')
    return this.opened
  }

  get environment(): string {
    return this.harness.environments.one
  }

  get platform(): Platform {
    return this.platformNow ?? this.harness.platform
  }

  get context(): PlatformContext {
    return {
      signal: this.controller.signal,
      record: async (resource) => void this.recorded.push(resource),
      log: (text) => void this.logged.push(text),
    }
  }

  async spec(service: string, program: ContractProgram, more: Partial<WorkloadSpec> = {}): Promise<WorkloadSpec> {
    const source = await this.harness.publish(service, program)
    return {
      environment: this.environment,
      generation: 1,
      service,
      environmentVariables: { TRIBUTARY_VERSION: source.version },
      secrets: {},
      ...source,
      ...more,
    }
  }

  /** Deploys into a space that exists, and waits for health. */
  async run(spec: WorkloadSpec): Promise<Awaited<ReturnType<Platform['awaitHealthy']>>> {
    await this.platform.ensureSpace(spec.environment, spec.generation, this.context)
    const { workloadId } = await this.platform.deployWorkload(spec, this.context)
    const status = await this.healthy(workloadId)
    await this.nameOwn(spec.environment)
    return status
  }

  healthy(workloadId: string): ReturnType<Platform['awaitHealthy']> {
    return this.platform.awaitHealthy(workloadId, { signal: this.controller.signal, timeoutMs: this.deadlineMs })
  }

  get deadlineMs(): number {
    return this.harness.deadlineMs
  }

  /** Names every copy in the environment's space, as a deploy does when it has registered them. */
  async nameOwn(environment: string): Promise<void> {
    const own = await this.platform.listWorkloads(environment)
    const names = own.map(({ service, endpoints }) => ({ service, endpoints, state: 'own' as const }))
    await this.platform.applyServiceNames(environment, async () => names, this.context)
  }

  async until(condition: () => Promise<boolean> | boolean): Promise<void> {
    await until(condition, this.deadlineMs)
  }

  async ask(endpoints: readonly Endpoint[], path: string): Promise<{ status: number; text: string }> {
    return this.harness.get(firstOf(endpoints), path)
  }

  async askOnce(endpoints: readonly Endpoint[], path: string): Promise<{ status: number; text: string }> {
    return this.harness.getOnce(firstOf(endpoints), path)
  }
}

/** The first of the endpoints of a workload, which has one. */
function firstOf([first]: readonly Endpoint[]): Endpoint {
  if (first === undefined) throw new Error('the workload has no endpoint')
  return first
}

/** Looks until the condition holds. Rejects after a deadline. */
export async function until(condition: () => Promise<boolean> | boolean, deadlineMs = DEADLINE_MS): Promise<void> {
  const deadline = performance.now() + deadlineMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`the condition did not hold within ${deadlineMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
