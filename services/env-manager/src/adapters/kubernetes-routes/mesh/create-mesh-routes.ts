import type { HeaderRoute } from '../../../domain/header-routes.js'
import type { MeshRoutes } from '../../../ports/mesh-routes.js'
import type { PlatformContext, PlatformResource } from '../../../ports/platform.js'
import { isOptionalKind, kindOf } from '../route-kinds.js'
import { applyGammaRoutes, listGammaRoutes } from './gamma-routes.js'
import { hasRulesOf, IstioRoutes } from './istio-routes.js'
import { deleteObject, environmentOf, findRecorded, serviceHostOf, type MeshCluster } from './mesh-cluster.js'

/** What {@link createMeshRoutes} takes. */
export interface MeshRoutesOptions extends MeshCluster {
  readonly kind: MeshRoutes['kind']
  /** How long a look without a signal of its own may take. Default 30,000. */
  readonly timeoutMs?: number
}

const DEFAULT_TIMEOUT_MS = 30_000

/**
 * Header routes of a cluster's mesh (docs/adr/0014). Whatever kind is made now, those that the ledger names are found and removed by their own: the
 * configuration may have been another.
 */
export function createMeshRoutes(options: MeshRoutesOptions): MeshRoutes {
  return new ClusterMeshRoutes(options)
}

class ClusterMeshRoutes implements MeshRoutes {
  readonly kind: MeshRoutes['kind']
  readonly #istio: IstioRoutes

  constructor(private readonly options: MeshRoutesOptions) {
    this.kind = options.kind
    this.#istio = new IstioRoutes(options)
  }

  hostOf(environment: string, service: string): string {
    return serviceHostOf(this.options, environment, service)
  }

  async apply(
    environment: string,
    routes: readonly HeaderRoute[],
    context: Pick<PlatformContext, 'signal' | 'record'>,
  ): Promise<readonly PlatformResource[]> {
    if (this.kind === 'none') return []
    if (this.kind === 'istio') return this.#istio.apply(environment, routes, context)
    return applyGammaRoutes(this.options, { environment, routes }, context)
  }

  async remove(resource: PlatformResource, signal: AbortSignal): Promise<void> {
    const found = await findRecorded(this.options, resource, signal)
    if (found === undefined) return
    if (found.name === 'virtualservice') return this.#istio.remove(found, resource.environment, signal)
    if (environmentOf(found.object) === resource.environment) await deleteObject(this.options, found, signal)
  }

  async verifyGone(resource: PlatformResource): Promise<{ readonly gone: boolean; readonly evidence: string }> {
    const { kind, id, environment } = resource
    const found = await findRecorded(this.options, resource, this.#signal())
    const what = `${isOptionalKind(kind) ? kindOf(kind) : kind} ${id}`
    if (found === undefined) return { gone: true, evidence: `the API server has no ${what} of ours` }
    if (found.name === 'virtualservice' && !hasRulesOf(found.object, environment))
      return { gone: true, evidence: `${what} has no route of ${environment}` }
    if (found.name !== 'virtualservice' && environmentOf(found.object) !== environment)
      return { gone: true, evidence: `${what} is of another environment` }
    return { gone: false, evidence: `the API server still has ${what} with a route of ${environment}` }
  }

  async list(): Promise<readonly PlatformResource[]> {
    if (this.kind === 'none') return []
    const signal = this.#signal()
    return this.kind === 'istio' ? this.#istio.list(signal) : listGammaRoutes(this.options, signal)
  }

  #signal(): AbortSignal {
    return AbortSignal.timeout(this.options.timeoutMs ?? DEFAULT_TIMEOUT_MS)
  }
}
