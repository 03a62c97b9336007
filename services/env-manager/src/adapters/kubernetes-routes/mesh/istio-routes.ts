import { KeyedMutex } from '@tributary/kit'
import type { HeaderRoute } from '../../../domain/header-routes.js'
import { failure } from '../../../errors.js'
import type { PlatformContext, PlatformResource } from '../../../ports/platform.js'
import type { RouteObject, RouteResource } from '../cluster-objects.js'
import {
  environmentRules,
  hostsOf,
  ruleEnvironment,
  rulesOf,
  virtualServiceName,
  virtualServiceOf,
  withRules,
  type IstioRule,
} from './istio-objects.js'
import {
  deleteObject,
  findOwn,
  getKind,
  ledgerLineOf,
  listOwn,
  serviceHostOf,
  type MeshCluster,
  type MeshObject,
} from './mesh-cluster.js'
import { writeObject } from './write-object.js'

const KIND = 'virtualservice'

/** Header routes as parts of VirtualServices, which several environments share: of each, one is changed at a time. */
export class IstioRoutes {
  readonly #lock = new KeyedMutex()

  constructor(private readonly cluster: MeshCluster) {}

  /** Puts the environment's rules where they belong. Resolves to all VirtualServices that have some now. */
  async apply(
    environment: string,
    routes: readonly HeaderRoute[],
    { signal, record }: Pick<PlatformContext, 'signal' | 'record'>,
  ): Promise<readonly PlatformResource[]> {
    const resource = await getKind(this.cluster, KIND, signal)
    const lines: PlatformResource[] = []
    for (const route of routes) {
      const line = ledgerLineOf(KIND, virtualServiceOf(this.cluster, route, []), environment)
      await record(line)
      await this.#lock.run(line.id, () => this.#put(resource, { environment, route }, signal))
      lines.push(line)
    }
    return lines
  }

  /** Takes the environment's rules out of a VirtualService; the last ones take it along. */
  async remove(found: MeshObject, environment: string, signal: AbortSignal): Promise<void> {
    const { id } = ledgerLineOf(KIND, found.object, environment)
    const { namespace = '', name } = found.object.metadata
    const ref = { namespace, name }
    await this.#lock.run(id, async () => {
      const object = await findOwn(this.cluster, found.resource, { ref, signal })
      if (object === undefined || !hasRulesOf(object, environment)) return
      if (rulesOfOthers(object, environment).length === 0)
        return deleteObject(this.cluster, { resource: found.resource, object }, signal)
      const want = (there: RouteObject = object): RouteObject =>
        withRules(this.cluster, there, rulesOfOthers(there, environment))
      await writeObject(this.cluster, found.resource, { ref, want, signal })
    })
  }

  /** All VirtualServices of this instance, once for each environment that has a part in them. */
  async list(signal: AbortSignal): Promise<readonly PlatformResource[]> {
    const found = await listOwn(this.cluster, KIND, { signal })
    return found.flatMap(({ object }) => {
      const environments = new Set(environmentRules(object).map(ruleEnvironment))
      return [...environments].map((environment) => ledgerLineOf(KIND, object, environment))
    })
  }

  async #put(
    resource: RouteResource,
    { environment, route }: { readonly environment: string; readonly route: HeaderRoute },
    signal: AbortSignal,
  ): Promise<void> {
    const namespace = this.cluster.namespaceOf(route.at)
    const ref = { namespace, name: virtualServiceName(route.service) }
    const own = rulesOf(this.cluster, environment, route)
    const want = async (there: RouteObject | undefined): Promise<RouteObject> => {
      if (there !== undefined) return withRules(this.cluster, there, [...rulesOfOthers(there, environment), ...own])
      await this.#refuseForeign(resource, route, signal)
      return virtualServiceOf(this.cluster, route, own)
    }
    await writeObject(this.cluster, resource, { ref, want, signal })
  }

  /** Istio takes the oldest VirtualService of a host and no other: beside somebody's own, ours would do nothing or put theirs out of force. */
  async #refuseForeign(resource: RouteResource, { at, service }: HeaderRoute, signal: AbortSignal): Promise<void> {
    const { clusterDomain } = this.cluster
    const host = serviceHostOf(this.cluster, at, service)
    const { items } = await this.cluster.api.list(resource, { namespace: this.cluster.namespaceOf(at) }, signal)
    const foreign = items.find((object) => hostsOf(object, clusterDomain).includes(host))
    if (foreign === undefined) return
    throw failure(
      'ROUTE_NAME_TAKEN',
      `VirtualService ${foreign.metadata.namespace}/${foreign.metadata.name} routes ${host} already, and Istio takes one for a host: the header route is not made; remove the host from it, or do without the mesh’s routes`,
    )
  }
}

/** True when the environment has a part in it. */
export function hasRulesOf(object: RouteObject, environment: string): boolean {
  return environmentRules(object).some((rule) => ruleEnvironment(rule) === environment)
}

function rulesOfOthers(object: RouteObject, environment: string): readonly IstioRule[] {
  return environmentRules(object).filter((rule) => ruleEnvironment(rule) !== environment)
}
