import type { Clock } from '@tributary/kit'
import type { WorkloadStatus } from '../../../ports/platform.js'
import type { KubeApi } from '../api/kube-api.js'
import { RESOURCES, type KubeDeployment, type KubeObject, type KubePod, type Resource } from '../api/kube-objects.js'
import { ListWatch, type ListWatchState } from '../api/list-watch.js'
import { ChangeFeed } from '../../change-feed.js'
import { LABELS, type Spaces } from '../names.js'
import { NamespaceEvents } from './namespace-events.js'
import { assessWorkload, type Assessment } from './workload-status.js'

/** What a book is kept from. */
export interface WorkloadBookOptions {
  readonly api: KubeApi
  readonly clock: Clock
  readonly instance: string
  readonly clusterDomain: string
  readonly spaces: Spaces
  readonly onError: (error: unknown) => void
}

/** Every workload of this installation as the cluster has it, in memory, kept by two watches; and who wants to know of changes. */
export class WorkloadBook {
  /** Environments in which a workload's status changed. */
  readonly changes = new ChangeFeed()
  readonly #deployments: ListWatch<KubeDeployment>
  readonly #pods: ListWatch<KubePod>
  readonly #events: NamespaceEvents
  readonly #podsByNamespace = new Map<string, Map<string, KubePod>>()
  readonly #deploymentsByNamespace = new Map<string, Map<string, KubeDeployment>>()
  readonly #assessed = new Map<string, readonly Assessment[]>()
  readonly #listeners = new Set<() => void>()

  constructor(private readonly options: WorkloadBookOptions) {
    this.#deployments = this.#watch<KubeDeployment>(RESOURCES.deployment, this.#deploymentsByNamespace)
    this.#pods = this.#watch<KubePod>(RESOURCES.pod, this.#podsByNamespace)
    const { api, clock, onError } = options
    this.#events = new NamespaceEvents({ api, clock, onError, onChange: (namespace) => this.#assess(namespace) })
  }

  /** Resolves when everything is known once. */
  async start(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#deployments.start(signal), this.#pods.start(signal)])
  }

  async stop(): Promise<void> {
    await Promise.all([this.#deployments.stop(), this.#pods.stop(), this.#events.stop()])
  }

  /** Workloads of all environments, or of one. */
  list(environment?: string): readonly WorkloadStatus[] {
    const found =
      environment === undefined
        ? [...this.#assessed.values()].flat()
        : (this.#assessed.get(this.#namespaceOf(environment)) ?? [])
    return found.map(({ status }) => status)
  }

  find(workloadId: string): Assessment | undefined {
    for (const assessments of this.#assessed.values()) {
      const found = assessments.find(({ status }) => status.workloadId === workloadId)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** True while there is a pod of ours, be it a dying one. */
  hasPods(environment: string): boolean {
    return this.#podsByNamespace.has(this.#namespaceOf(environment))
  }

  /** Pods of a service, newest last. */
  podsOf(environment: string, service: string): readonly KubePod[] {
    const pods = [...(this.#podsByNamespace.get(this.#namespaceOf(environment))?.values() ?? [])]
    const own = pods.filter(({ metadata }) => metadata.labels?.[LABELS.service] === service)
    const bornAt = ({ metadata }: KubePod): string => metadata.creationTimestamp ?? ''
    return own.sort((left, right) => (bornAt(left) < bornAt(right) ? -1 : 1))
  }

  /** Calls the listener after every change of anything. Returns the unsubscription. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Resolves to whether the condition held before the deadline and the signal. */
  async until(
    condition: () => boolean,
    limits: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<boolean> {
    const done = new AbortController()
    const look = (): void => {
      if (condition() || limits.signal.aborted) done.abort()
    }
    const unsubscribe = this.subscribe(look)
    limits.signal.addEventListener('abort', look, { once: true })
    try {
      look()
      await this.options.clock.sleep(limits.timeoutMs, done.signal).catch(() => undefined)
      return condition()
    } finally {
      unsubscribe()
      limits.signal.removeEventListener('abort', look)
    }
  }

  states(): readonly ListWatchState[] {
    return [this.#deployments.state(), this.#pods.state()]
  }

  #namespaceOf(environment: string): string {
    return this.options.spaces.namespaceOf(environment)
  }

  #watch<T extends KubeObject>(resource: Resource, byNamespace: Map<string, Map<string, T>>): ListWatch<T> {
    const { api, clock, instance, onError } = this.options
    return new ListWatch<T>({
      api,
      clock,
      resource,
      selection: { labelSelector: `${LABELS.instance}=${instance}` },
      onChange: (object, change) => {
        const { namespace = '', name } = object.metadata
        const objects = byNamespace.get(namespace) ?? new Map<string, T>()
        if (change === 'gone') objects.delete(name)
        else objects.set(name, object)
        if (objects.size === 0) byNamespace.delete(namespace)
        else byNamespace.set(namespace, objects)
        this.#assess(namespace)
      },
      onError,
    })
  }

  #assess(namespace: string): void {
    const before = this.#assessed.get(namespace) ?? []
    const pods = [...(this.#podsByNamespace.get(namespace)?.values() ?? [])]
    const events = this.#events.of(namespace)
    const { clusterDomain } = this.options
    const deployments = [...(this.#deploymentsByNamespace.get(namespace)?.values() ?? [])]
    const now = deployments.flatMap((deployment) => assessWorkload({ deployment, pods, events, clusterDomain }) ?? [])
    if (now.length === 0) this.#assessed.delete(namespace)
    else this.#assessed.set(namespace, now)
    this.#events.want(
      namespace,
      now.some(({ status }) => status.health === 'starting' || status.health === 'unhealthy'),
    )
    if (JSON.stringify(before.map(({ status }) => status)) !== JSON.stringify(now.map(({ status }) => status)))
      this.changes.publish(this.options.spaces.environmentOf(namespace) ?? namespace)
    for (const listener of this.#listeners) listener()
  }
}
