import type { Endpoint, ServiceDefinition } from '@tributary/contract'

/** What a platform may or may not be able to do. Declared by the adapter, shown by `GET /v1/status`. */
export type PlatformCapability =
  /** Runs a service from a checkout (`run.local`). */
  | 'run-from-source'
  /** Runs a service from an image (`run.image`). */
  | 'run-from-image'
  /** An upgrade replaces the copy in place: there is never more than one workload of a service. */
  | 'in-place-upgrade'
  /** Keeps `http://<service>` answering in every space for programs without the SDK: {@link Platform.applyServiceNames}. */
  | 'service-names'

/** A thing that the platform made, as it stands in the ledger: `kind` and `id` are enough to find it again. */
export interface PlatformResource {
  readonly kind: string
  readonly id: string
  readonly environment: string
}

/** Does work that only waits for something outside: whoever is in line for this work's room gets it meanwhile. */
export type Aside = <T>(work: () => Promise<T>) => Promise<T>

/** What every mutating call gets. */
export interface PlatformContext {
  readonly signal: AbortSignal
  /** Must have resolved before the resource is made: a crash then leaves nothing unknown. Idempotent. */
  readonly record: (resource: PlatformResource) => Promise<void>
  /** Lines for the run's log. */
  readonly log: (text: string) => void
  /** Default: nobody is in line, and what waits does so where it is. */
  readonly aside?: Aside
}

/** One copy of a service at a commit, to be run in an environment's space. */
export interface WorkloadSpec {
  readonly environment: string
  readonly generation: number
  readonly service: string
  readonly definition: ServiceDefinition
  /** Repository's configured name, commit, and the folder of `service.yaml` within it (`''` for the root). */
  readonly repository: string
  readonly commitSha: string
  readonly directory: string
  /** `v<major>.<minor>-<commits since tag>-<short sha>`. */
  readonly version: string
  /** `TRIBUTARY_*` and the definition's own variables. May hold secrets: never logged, never in arguments. */
  readonly environmentVariables: Readonly<Record<string, string>>
  /** Generated secrets by name; given to the process as `TRIBUTARY_SECRET_<NAME>`. Never logged. */
  readonly secrets: Readonly<Record<string, string>>
}

/** A workload that exists: `workloadId` is stable for (environment, generation, service, commit, restart token). */
export interface Workload {
  readonly workloadId: string
  readonly environment: string
  readonly generation: number
  readonly service: string
  readonly commitSha: string
  readonly version: string
  readonly endpoints: readonly Endpoint[]
}

/** A service as an environment sees it. `endpoints` are those of its own copy, or those of the tenant that it falls back to. */
export interface ServiceName {
  readonly service: string
  readonly state: 'own' | 'inherited'
  readonly endpoints: readonly Endpoint[]
}

/** How a workload is doing. `message` is one readable line: why it is not healthy. */
export interface WorkloadStatus extends Workload {
  readonly health: 'starting' | 'healthy' | 'unhealthy' | 'stopped'
  readonly message: string | null
  readonly restarts: number
  readonly startedAt: number
}

/** An object that its finalizers held, and that was let go. */
export interface ReleasedObject {
  readonly object: string
  readonly finalizers: readonly string[]
}

/** How fresh what the platform knows of one kind of thing is. */
export interface PlatformWatch {
  /** From a closed set. */
  readonly kind: string
  /** Milliseconds since its source was last heard; undefined before the first time. */
  readonly ageMs: number | undefined
  /** How often it broke off since the process began. */
  readonly failures: number
}

/** One line that a workload printed. `at` is epoch milliseconds. */
export interface WorkloadLogLine {
  readonly at: number
  readonly text: string
}

/** Where environments run (docs/adr/0004). Every method is idempotent and rejects with `AppError` from the service's catalogue. */
export interface Platform {
  readonly name: 'local' | 'kubernetes'
  readonly capabilities: ReadonlySet<PlatformCapability>
  /** Recovers what an earlier process of this instance left: adopts what lives, cleans what is half made. Call once, first. */
  start(options: { readonly signal: AbortSignal }): Promise<void>
  /** Makes what holds an environment's workloads. */
  ensureSpace(environment: string, generation: number, context: PlatformContext): Promise<void>
  /**
   * Starts the copy that `spec` describes and returns without waiting for health; returns the running one when it is there
   * already. Copies of other commits keep running. `PLATFORM_BUILD_FAILED`, `PLATFORM_START_FAILED`: the message has the cause and last log lines.
   */
  deployWorkload(spec: WorkloadSpec, context: PlatformContext): Promise<Workload>
  /** Resolves once readiness holds. `PLATFORM_UNHEALTHY` after the deadline or when the process gave up: the message has cause and last log lines. */
  awaitHealthy(
    workloadId: string,
    options: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<WorkloadStatus>
  /** Stops and removes every copy of the service but `keepWorkloadId` (all when absent): asks politely, waits, then kills the whole process group. */
  retireWorkloads(
    target: { readonly environment: string; readonly service: string; readonly keepWorkloadId?: string },
    context: PlatformContext,
  ): Promise<void>
  /** All workloads of this instance, or of one environment. In memory: cheap enough for every reconcile. */
  listWorkloads(environment?: string): Promise<readonly WorkloadStatus[]>
  /** The sources that {@link Platform.listWorkloads} is kept from; none where the platform is the source itself. */
  watches(): readonly PlatformWatch[]
  /** Names of environments in which a workload's status changed on its own (it died, it recovered). */
  watchChanges(options: { readonly signal: AbortSignal }): AsyncIterable<string>
  /** The last `tailLines` lines, then, with `follow`, new ones until `signal` aborts. */
  readLogs(
    target: { readonly environment: string; readonly service: string },
    options: { readonly tailLines: number; readonly follow: boolean; readonly signal: AbortSignal },
  ): AsyncIterable<WorkloadLogLine>
  /**
   * Makes exactly the names that `readNames` tells answer in the environment's space, own or standing in for the owner's; others of ours go. Level-based:
   * of an environment one call at a time reads and applies, so that what was read last stands. Does nothing without the capability `service-names`, or
   * when there is no space.
   */
  applyServiceNames(
    environment: string,
    readNames: () => Promise<readonly ServiceName[]>,
    context: PlatformContext,
  ): Promise<void>
  /**
   * Leads the names of copies that are about to be published to them, and proves that their addresses answer, before anybody is sent there; then runs `publish` with
   * the services whose address did not answer, and why (`PLATFORM_ADDRESS_UNREACHABLE`). Names of the environment stay as they are meanwhile; when
   * `publish` rejects, or leaves a copy out, they are to be applied again.
   */
  openAddresses<T>(
    target: { readonly environment: string; readonly copies: readonly ServiceName[] },
    publish: (unreached: ReadonlyMap<string, Error>) => Promise<T>,
    context: PlatformContext,
  ): Promise<T>
  /** Where this process reaches an endpoint of a workload now: programs in a space may know it by a name that does not answer here. */
  locate(endpoint: Endpoint): Promise<Endpoint>
  /**
   * Takes the finalizers off what holds a space that is being removed, without what they stand for being done. Only ever asked for by a person;
   * nothing happens while the space is not being removed.
   */
  releaseFinalizers(environment: string, context: PlatformContext): Promise<readonly ReleasedObject[]>
  /** Removes everything in the environment's space and the space. Waiting is done inside, bounded by the signal. */
  removeSpace(environment: string, context: PlatformContext): Promise<void>
  /** Removes one resource (of an orphan, or left by a crash). */
  removeResource(resource: PlatformResource, context: PlatformContext): Promise<void>
  /** Looks again, at the source: is it there? `evidence` says how that was seen, e.g. "no process in group 4711". */
  verifyGone(resource: PlatformResource): Promise<{ readonly gone: boolean; readonly evidence: string }>
  /** Everything that bears this instance's label, found by looking and not by remembering. */
  listResources(): Promise<readonly PlatformResource[]>
  /** Frees what this process holds. Workloads keep running when `workloads` is `keep`. */
  stop(options: { readonly workloads: 'keep' | 'stop' }): Promise<void>
}
