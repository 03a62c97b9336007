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
  /** How often an object that was there was written. */
  writes = 0
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
    this.#version += 1
    const made = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } }
    this.objects.set(key, made)
    return made
  }

  async create(resource: RouteResource, object: RouteObject): Promise<RouteObject> {
    const { namespace, name } = object.metadata
    if (this.objects.has(`${resource.kind}/${namespace}/${name}`)) throw conflict(name)
    return this.apply(resource, object)
  }

  async replace(resource: RouteResource, object: RouteObject): Promise<RouteObject> {
    const { namespace, name, resourceVersion } = object.metadata
    const there = this.objects.get(`${resource.kind}/${namespace}/${name}`)
    if (there?.metadata.resourceVersion !== resourceVersion) throw conflict(name)
    this.writes += 1
    return this.apply(resource, object)
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

function conflict(name: string): AppError {
  return new AppError({ kind: 'conflict', code: 'KUBERNETES_CONFLICT', message: name })
}
