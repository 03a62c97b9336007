import { mkdir } from 'node:fs/promises'
import type { Endpoint } from '@tributary/contract'
import { KeyedMutex } from '@tributary/kit'
import type {
  Platform,
  PlatformCapability,
  PlatformContext,
  PlatformResource,
  PlatformWatch,
  ReleasedObject,
  Workload,
  WorkloadLogLine,
  WorkloadSpec,
  WorkloadStatus,
} from '../../ports/platform.js'
import { awaitHealthy } from './await-healthy.js'
import { writeFileAtomically } from './atomic-file.js'
import { deployWorkload } from './deploy-workload.js'
import { mapping } from './local-errors.js'
import { createLocalParts, type LocalParts, type LocalPlatformOptions } from './local-parts.js'
import { listResources, removeResource, removeSpace, verifyGone } from './local-resources.js'
import { followLog } from './log-follower.js'
import { findRetiredLog } from './retired-logs.js'
import { recover } from './recover.js'
import { retireWorkloads, type RetireTarget } from './retire-workloads.js'

const LOG_CHECK_MS = 5000

/**
 * {@link Platform} of this machine: worktrees, builds and supervised process groups under `<dataDirectory>/environments`.
 * @throws AppError `PLATFORM_DATA_UNWRITABLE`, `ARGUMENT_INVALID`
 */
export function createLocalPlatform(options: LocalPlatformOptions): Platform {
  return new LocalPlatform(createLocalParts(options))
}

class LocalPlatform implements Platform {
  readonly name = 'local'
  readonly capabilities: ReadonlySet<PlatformCapability> = new Set<PlatformCapability>(['run-from-source'])
  /** One deploy or retirement of a service at a time. */
  private readonly lock = new KeyedMutex()
  private readonly stopped = new AbortController()
  private logChecks: Promise<void> = Promise.resolve()

  constructor(private readonly parts: LocalParts) {}

  async start(options: { readonly signal: AbortSignal }): Promise<void> {
    await recover(this.parts, options.signal)
    this.logChecks = this.checkLogs()
  }

  async ensureSpace(environment: string, generation: number, context: PlatformContext): Promise<void> {
    const { layout, instance } = this.parts
    await context.record({ kind: 'space', id: environment, environment })
    await mapping(`make the folder of ${environment}`, async () => {
      await mkdir(layout.space(environment), { recursive: true, mode: 0o700 })
      await writeFileAtomically(layout.spaceFile(environment), JSON.stringify({ instance, environment, generation }))
    })
  }

  async deployWorkload(spec: WorkloadSpec, context: PlatformContext): Promise<Workload> {
    const supervisor = await this.lock.run(`${spec.environment}/${spec.service}`, () =>
      deployWorkload(this.parts, spec, context),
    )
    return supervisor.status()
  }

  async awaitHealthy(
    workloadId: string,
    options: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<WorkloadStatus> {
    return awaitHealthy(this.parts.workloads.get(workloadId), { ...options, clock: this.parts.clock })
  }

  async retireWorkloads(target: RetireTarget, context: PlatformContext): Promise<void> {
    await this.lock.run(`${target.environment}/${target.service}`, () =>
      retireWorkloads(this.parts, target, context.signal),
    )
  }

  async listWorkloads(environment?: string): Promise<readonly WorkloadStatus[]> {
    return this.parts.workloads.list(environment).map((supervisor) => supervisor.status())
  }

  /** It supervises the processes itself. */
  watches(): readonly PlatformWatch[] {
    return []
  }

  watchChanges(options: { readonly signal: AbortSignal }): AsyncIterable<string> {
    return this.parts.changes.watch(options.signal)
  }

  readLogs(
    target: { readonly environment: string; readonly service: string },
    options: { readonly tailLines: number; readonly follow: boolean; readonly signal: AbortSignal },
  ): AsyncIterable<WorkloadLogLine> {
    const { workloads, clock, layout } = this.parts
    return followLog({
      ...options,
      clock,
      what: `${target.service} in ${target.environment}`,
      newest: () => workloads.newestLog(target.environment, target.service),
      retired: () => findRetiredLog(layout, target),
    })
  }

  /** Programs without the SDK have no DNS of an environment's own here: the gateway and `tributary proxy` serve them. */
  async applyServiceNames(): Promise<void> {}

  /** A copy that is healthy answers at its address: nothing lies between. */
  async openAddresses<T>(_: unknown, publish: (unreached: ReadonlyMap<string, Error>) => Promise<T>): Promise<T> {
    return publish(new Map())
  }

  /** Services listen on this machine's loopback: everything here reaches them alike. */
  async locate(endpoint: Endpoint): Promise<Endpoint> {
    return endpoint
  }

  /** Nothing here has finalizers. */
  async releaseFinalizers(): Promise<readonly ReleasedObject[]> {
    return []
  }

  async removeSpace(environment: string, context: PlatformContext): Promise<void> {
    await removeSpace(this.parts, environment, context)
  }

  async removeResource(resource: PlatformResource, context: PlatformContext): Promise<void> {
    await removeResource(this.parts, resource, context)
  }

  async verifyGone(resource: PlatformResource): Promise<{ readonly gone: boolean; readonly evidence: string }> {
    return verifyGone(this.parts, resource)
  }

  async listResources(): Promise<readonly PlatformResource[]> {
    return listResources(this.parts)
  }

  async stop(options: { readonly workloads: 'keep' | 'stop' }): Promise<void> {
    this.stopped.abort()
    const supervisors = this.parts.workloads.list()
    await Promise.all(
      supervisors.map((supervisor) => (options.workloads === 'keep' ? supervisor.release() : supervisor.stop())),
    )
    await this.logChecks
  }

  private async checkLogs(): Promise<void> {
    const { clock, workloads } = this.parts
    while (!this.stopped.signal.aborted) {
      // A log that cannot be bounded now (a full disk) is looked at again; its service must not suffer.
      await Promise.allSettled(workloads.list().map((supervisor) => supervisor.log.rotateIfLarge()))
      await clock.sleep(LOG_CHECK_MS, this.stopped.signal).catch(() => undefined)
    }
  }
}
