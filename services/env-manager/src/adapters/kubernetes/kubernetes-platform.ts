import type { Endpoint } from '@tributary/contract'
import { KeyedMutex } from '@tributary/kit'
import type {
  Platform,
  PlatformCapability,
  PlatformContext,
  PlatformResource,
  PlatformWatch,
  ReleasedObject,
  ServiceName,
  Workload,
  WorkloadLogLine,
  WorkloadSpec,
  WorkloadStatus,
} from '../../ports/platform.js'
import { openAddresses, type FreshNames } from './addresses/open-addresses.js'
import type { KubernetesParts } from './kubernetes-parts.js'
import { locate } from './locate.js'
import { releaseFinalizers, removeSpace } from './removal/remove-space.js'
import { listResources, removeResource, verifyGone, type Sighting } from './removal/resources.js'
import { applyServiceNames } from './service-names.js'
import { ensureSpace } from './space/ensure-space.js'
import { awaitHealthy } from './workloads/await-healthy.js'
import { removeCheckouts } from './workloads/chart-input.js'
import { deployWorkload } from './workloads/deploy-workload.js'
import { readLogs } from './workloads/read-logs.js'
import { retireWorkloads, type RetireTarget } from './workloads/retire-workloads.js'

/** {@link Platform} of a Kubernetes cluster: a namespace for each environment, a Helm release for each copy (docs/adr/0014). */
export class KubernetesPlatform implements Platform {
  readonly name = 'kubernetes'
  readonly capabilities: ReadonlySet<PlatformCapability> = new Set<PlatformCapability>([
    'run-from-image',
    'in-place-upgrade',
    'service-names',
  ])
  /** One deploy or retirement of a service at a time; one look at the names of an environment. */
  readonly #lock = new KeyedMutex()
  readonly #stopped = new AbortController()

  constructor(private readonly parts: KubernetesParts) {}

  async start({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    await removeCheckouts(this.parts)
    await this.parts.book.start(signal)
  }

  async ensureSpace(environment: string, generation: number, context: PlatformContext): Promise<void> {
    await ensureSpace(this.parts, { environment, generation }, context)
  }

  async deployWorkload(spec: WorkloadSpec, context: PlatformContext): Promise<Workload> {
    return this.#lock.run(`${spec.environment}/${spec.service}`, () => deployWorkload(this.parts, spec, context))
  }

  async awaitHealthy(
    workloadId: string,
    options: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<WorkloadStatus> {
    return awaitHealthy(this.parts, workloadId, options)
  }

  async retireWorkloads(target: RetireTarget, context: PlatformContext): Promise<void> {
    await this.#lock.run(`${target.environment}/${target.service}`, () => retireWorkloads(this.parts, target, context))
  }

  async listWorkloads(environment?: string): Promise<readonly WorkloadStatus[]> {
    return this.parts.book.list(environment)
  }

  watches(): readonly PlatformWatch[] {
    return this.parts.book.states()
  }

  watchChanges({ signal }: { readonly signal: AbortSignal }): AsyncIterable<string> {
    return this.parts.book.changes.watch(signal)
  }

  readLogs(
    target: { readonly environment: string; readonly service: string },
    options: { readonly tailLines: number; readonly follow: boolean; readonly signal: AbortSignal },
  ): AsyncIterable<WorkloadLogLine> {
    return readLogs(this.parts, { ...target, ...options })
  }

  async applyServiceNames(
    environment: string,
    readNames: () => Promise<readonly ServiceName[]>,
    context: PlatformContext,
  ): Promise<void> {
    await this.#lock.run(environment, async () =>
      applyServiceNames(this.parts, { environment, names: await readNames() }, context),
    )
  }

  async openAddresses<T>(
    target: FreshNames,
    publish: (unreached: ReadonlyMap<string, Error>) => Promise<T>,
    context: PlatformContext,
  ): Promise<T> {
    return this.#lock.run(target.environment, async () => publish(await openAddresses(this.parts, target, context)))
  }

  async locate(endpoint: Endpoint): Promise<Endpoint> {
    return locate(this.parts, endpoint)
  }

  async removeSpace(environment: string, context: PlatformContext): Promise<void> {
    await removeSpace(this.parts, environment, context)
  }

  async removeResource(resource: PlatformResource, context: PlatformContext): Promise<void> {
    await removeResource(this.parts, resource, context)
  }

  async releaseFinalizers(environment: string, context: PlatformContext): Promise<readonly ReleasedObject[]> {
    return releaseFinalizers(this.parts, environment, context)
  }

  async verifyGone(resource: PlatformResource): Promise<Sighting> {
    return verifyGone(this.parts, resource, this.#stopped.signal)
  }

  async listResources(): Promise<readonly PlatformResource[]> {
    return listResources(this.parts, this.#stopped.signal)
  }

  /** Workloads are the cluster's: they run on whatever `workloads` says. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.parts.book.stop()
  }
}
