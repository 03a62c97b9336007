import { failure } from '../errors.js'
import type { Platform, PlatformContext, PlatformResource, WorkloadSpec, WorkloadStatus } from '../ports/platform.js'

/** What the platform has made; it outlives any manager, as processes and folders do. */
export class PlatformWorld {
  readonly spaces = new Set<string>()
  readonly workloads = new Map<string, WorkloadStatus>()
  /** Environment variables and secrets that each workload was started with. */
  readonly started = new Map<string, WorkloadSpec>()
  nextPort = 20_000
  /** What holds every space that is to be removed, until it is released. */
  heldBy: string | undefined
  /** Called before a copy is started; may throw or wait. */
  onDeploy: (spec: WorkloadSpec, context: PlatformContext) => Promise<void> = async () => undefined
  /** Says why a copy will never be healthy; undefined: it will. */
  sickness: (spec: WorkloadSpec) => string | undefined = () => undefined
  /** Services whose address callers do not reach although a copy is healthy. */
  readonly unreached = new Map<string, Error>()
  readonly listeners = new Set<(environment: string) => void>()

  /** A copy's health changes on its own. */
  change(environment: string, service: string, change: Partial<WorkloadStatus>): void {
    for (const [id, workload] of this.workloads) {
      if (workload.environment === environment && workload.service === service)
        this.workloads.set(id, { ...workload, ...change })
    }
    for (const listener of this.listeners) listener(environment)
  }

  copiesOf(environment: string): readonly string[] {
    return [...this.workloads.values()]
      .filter((workload) => workload.environment === environment)
      .map(({ service, commitSha }) => `${service}@${commitSha.slice(0, 7)}`)
      .sort()
  }
}

/** A platform whose processes are rows in a {@link PlatformWorld}. */
export function createFakePlatform(world: PlatformWorld): Platform {
  const has = ({ kind, id }: PlatformResource): boolean =>
    kind === 'space' ? world.spaces.has(id) : kind === 'process' ? world.workloads.has(id) : false
  const retire = (environment: string, service: string, keep: string | undefined): void => {
    for (const [id, workload] of world.workloads) {
      if (workload.environment === environment && workload.service === service && id !== keep)
        world.workloads.delete(id)
    }
  }
  return {
    name: 'local',
    capabilities: new Set(['run-from-source']),
    start: async () => undefined,
    ensureSpace: async (environment, _generation, context) => {
      await context.record({ kind: 'space', id: environment, environment })
      world.spaces.add(environment)
    },
    deployWorkload: async (spec, context) => {
      const { environment, generation, service, commitSha, version } = spec
      const { image } = spec.definition.run ?? {}
      const workloadId = `${environment}-g${generation}-${service}-${commitSha.slice(0, 12)}${image === undefined ? '' : `-${image}`}`
      const present = world.workloads.get(workloadId)
      if (present !== undefined && present.health !== 'stopped') return present
      await context.record({ kind: 'process', id: workloadId, environment })
      await world.onDeploy(spec, context)
      context.signal.throwIfAborted()
      if (!world.spaces.has(environment)) throw failure('PLATFORM_START_FAILED', `no space for ${environment}`)
      context.log(`starting ${service} with token ${spec.environmentVariables['TRIBUTARY_TOKEN']}`)
      context.log(`context key ${spec.environmentVariables['TRIBUTARY_CONTEXT_KEY']}`)
      const endpoint = { name: 'http', protocol: 'http', host: '127.0.0.1', port: world.nextPort } as const
      world.nextPort += 1
      const made = { workloadId, environment, generation, service, commitSha, version, endpoints: [endpoint] }
      world.workloads.set(workloadId, { ...made, health: 'starting', message: null, restarts: 0, startedAt: 0 })
      world.started.set(workloadId, spec)
      return made
    },
    awaitHealthy: async (workloadId, { signal }) => {
      signal.throwIfAborted()
      const workload = world.workloads.get(workloadId)
      const spec = world.started.get(workloadId)
      if (workload === undefined || spec === undefined) throw failure('PLATFORM_WORKLOAD_NOT_FOUND', `no ${workloadId}`)
      const sick = world.sickness(spec)
      const status: WorkloadStatus = {
        ...workload,
        health: sick === undefined ? 'healthy' : 'unhealthy',
        message: sick ?? null,
      }
      world.workloads.set(workloadId, status)
      if (sick !== undefined) throw failure('PLATFORM_UNHEALTHY', `${workload.service} is not healthy: ${sick}`)
      return status
    },
    retireWorkloads: async ({ environment, service, keepWorkloadId }) => retire(environment, service, keepWorkloadId),
    listWorkloads: async (environment) =>
      [...world.workloads.values()].filter((one) => environment === undefined || one.environment === environment),
    async *watchChanges({ signal }) {
      const pending: string[] = []
      let wake = (): void => undefined
      const listener = (environment: string): void => {
        pending.push(environment)
        wake()
      }
      world.listeners.add(listener)
      signal.addEventListener('abort', () => wake(), { once: true })
      while (!signal.aborted) {
        yield* pending.splice(0)
        await new Promise<void>((resolve) => {
          wake = resolve
          if (pending.length > 0 || signal.aborted) resolve()
        })
      }
      world.listeners.delete(listener)
    },
    async *readLogs({ environment, service }) {
      yield { at: 0, text: `${environment}/${service} says hello` }
    },
    applyServiceNames: async () => undefined,
    openAddresses: (_, publish) => publish(world.unreached),
    watches: () => [],
    locate: async (endpoint) => endpoint,
    releaseFinalizers: async (environment) => {
      const { heldBy } = world
      world.heldBy = undefined
      return heldBy === undefined ? [] : [{ object: `ConfigMap ${environment}/held`, finalizers: [heldBy] }]
    },
    removeSpace: async (environment) => {
      if (world.heldBy !== undefined) throw failure('PLATFORM_STUCK', `${environment} is held by ${world.heldBy}`)
      for (const [id, workload] of world.workloads) if (workload.environment === environment) world.workloads.delete(id)
      world.spaces.delete(environment)
    },
    removeResource: async ({ kind, id }) => {
      if (kind === 'space') world.spaces.delete(id)
      if (kind === 'process') world.workloads.delete(id)
    },
    verifyGone: async (resource) => ({ gone: !has(resource), evidence: `${resource.kind} ${resource.id} looked for` }),
    listResources: async () => [
      ...[...world.spaces].map((id) => ({ kind: 'space', id, environment: id })),
      ...[...world.workloads.values()].map(({ workloadId, environment }) => ({
        kind: 'process',
        id: workloadId,
        environment,
      })),
    ],
    stop: async () => undefined,
  }
}
