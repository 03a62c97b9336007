import { AppError } from '@tributary/kit'
import type { ClusterObjects, RouteObject, RouteResource } from '../cluster-objects.js'
import type { MeshCluster } from './mesh-cluster.js'

const NAMES = {
  gamma: ['gateway.networking.k8s.io', 'v1', ['httproutes', 'referencegrants']],
  istio: ['networking.istio.io', 'v1beta1', ['virtualservices']],
} as const

/** An API server in memory: objects by kind, namespace and name, with versions and preconditions, and what discovery tells. */
export class MemoryCluster implements ClusterObjects {
  readonly objects = new Map<string, RouteObject>()
  /** Called between a read and whatever comes next. */
  afterFind: () => void = () => undefined
  readonly #documents = new Map<string, unknown>()
  #version = 0

  serve(mesh: keyof typeof NAMES): void {
    const [group, version, plurals] = NAMES[mesh]
    this.#documents.set(`/apis/${group}`, { versions: [{ version }] })
    this.#documents.set(`/apis/${group}/${version}`, { resources: plurals.map((name) => ({ name })) })
  }

  /** `Kind/namespace/name` of everything. */
  get names(): readonly string[] {
    return [...this.objects.keys()].sort()
  }

  specOf(key: string): unknown {
    return this.objects.get(key)?.spec
  }

  async find(
    { kind }: RouteResource,
    { namespace, name }: { readonly namespace: string; readonly name: string },
  ): Promise<RouteObject | undefined> {
    const found = this.objects.get(`${kind}/${namespace}/${name}`)
    this.afterFind()
    return found
  }

  async list(
    { kind }: RouteResource,
    { namespace, labelSelector }: { readonly namespace?: string; readonly labelSelector?: string },
  ): Promise<{ readonly items: readonly RouteObject[] }> {
    const wanted = (labelSelector ?? '').split(',').flatMap((each) => (each === '' ? [] : [each.split('=')]))
    const items = [...this.objects]
      .filter(([key]) => key.startsWith(`${kind}/${namespace === undefined ? '' : `${namespace}/`}`))
      .map(([, object]) => object)
      .filter(({ metadata }) => wanted.every(([name = '', value]) => metadata.labels?.[name] === value))
    return { items }
  }

  async apply({ kind }: RouteResource, object: RouteObject): Promise<RouteObject> {
    const key = `${kind}/${object.metadata.namespace}/${object.metadata.name}`
    const { resourceVersion } = object.metadata
    if (resourceVersion !== undefined && this.objects.get(key)?.metadata.resourceVersion !== resourceVersion)
      throw new AppError({ kind: 'conflict', code: 'KUBERNETES_CONFLICT', message: key })
    this.#version += 1
    const made = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } }
    this.objects.set(key, made)
    return made
  }

  async delete(
    { kind }: RouteResource,
    { namespace, name }: { readonly namespace: string; readonly name: string },
  ): Promise<void> {
    this.objects.delete(`${kind}/${namespace}/${name}`)
  }

  async read<T>(path: string): Promise<T> {
    const found = this.#documents.get(path)
    if (found === undefined) throw new AppError({ kind: 'not_found', code: 'KUBERNETES_NOT_FOUND', message: path })
    return found as T
  }

  /** The cluster as an installation `main` sees it, with a prefix before its namespaces. */
  seenBy(instance = 'main'): MeshCluster {
    return {
      api: this,
      instance,
      namespaceOf: (environment) => `team-${environment}`,
      clusterDomain: 'cluster.local',
    }
  }
}
