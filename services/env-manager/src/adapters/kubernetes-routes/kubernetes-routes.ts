import type { KubernetesRoutesConfig } from '../../domain/kubernetes-routes-config.js'
import { failure } from '../../errors.js'
import type { EnvironmentRoutes } from '../../ports/environment-routes.js'
import type { ClusterObjects, RouteObject, RouteResource } from './cluster-objects.js'
import { findKind, INGRESS } from './route-kinds.js'
import { httpRouteOf, ingressOf, isRouteOf, routeName, ROUTE_LABELS, routeSelector } from './route-objects.js'

/** What {@link createKubernetesRoutes} takes. */
export interface KubernetesRoutesOptions {
  readonly api: ClusterObjects
  readonly instance: string
  /** Where Tributary runs: the gateway's Service is here, and so are the routes. */
  readonly systemNamespace: string
  readonly config: KubernetesRoutesConfig
  /** How long a call may take. Default 30,000. */
  readonly timeoutMs?: number
}

/**
 * Routes of a cluster: one Ingress or HTTPRoute for each environment, `<environment>.<domain>`, in the system namespace; each leads to the gateway
 * (docs/adr/0014). Routes of both kinds are found and removed, whichever is made now: the configuration may have been another.
 */
export function createKubernetesRoutes(options: KubernetesRoutesOptions): EnvironmentRoutes {
  return new KubernetesRoutes(options)
}

interface Kinds {
  /** The one that is made; undefined: none. */
  readonly made: RouteResource | undefined
  /** All that are looked for. */
  readonly all: readonly RouteResource[]
}

const DEFAULT_TIMEOUT_MS = 30_000

class KubernetesRoutes implements EnvironmentRoutes {
  constructor(private readonly options: KubernetesRoutesOptions) {}

  urlOf(environment: string, service?: string): string {
    const base = this.options.config.url.replace('{environment}', environment).replace(/\/$/, '')
    return `${base}/${service === undefined ? '' : `${service}/`}`
  }

  async apply(environment: string): Promise<void> {
    const { api, instance, systemNamespace: namespace, config } = this.options
    const signal = this.signal()
    const { made } = await this.kinds(signal)
    if (made === undefined) return
    const name = routeName(environment)
    const there = await api.find(made, { namespace, name }, signal)
    if (there !== undefined && !isRouteOf(there, instance, environment)) throw taken(made, `${namespace}/${name}`)
    const facts = { environment, instance, namespace, host: new URL(this.urlOf(environment)).hostname, config }
    await api.apply(made, made === INGRESS ? ingressOf(facts) : httpRouteOf(facts), signal)
  }

  async remove(environment: string): Promise<void> {
    const { api, systemNamespace: namespace } = this.options
    const signal = this.signal()
    for (const { resource, object } of await this.find(environment, signal)) {
      const { name, uid } = object.metadata
      await api.delete(resource, { namespace, name }, { signal, ...(uid === undefined ? {} : { uid }) })
    }
  }

  async verifyGone(environment: string): Promise<{ readonly gone: boolean; readonly evidence: string }> {
    const signal = this.signal()
    const found = await this.find(environment, signal)
    const { all } = await this.kinds(signal)
    const where = `in ${this.options.systemNamespace}`
    const kinds = all.map(({ kind }) => kind).join(' and no ')
    if (found.length === 0) return { gone: true, evidence: `no ${kinds} of ${environment} ${where}` }
    const there = found.map(({ resource, object }) => `${resource.kind} ${object.metadata.name}`).join(', ')
    return { gone: false, evidence: `${there} ${where}` }
  }

  async list(): Promise<readonly string[]> {
    const found = await this.find(undefined, this.signal())
    const names = found.map(({ object }) => object.metadata.labels?.[ROUTE_LABELS.environment])
    return [...new Set(names.filter((name) => name !== undefined))].sort()
  }

  private async find(
    environment: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly { readonly resource: RouteResource; readonly object: RouteObject }[]> {
    const { api, instance, systemNamespace: namespace } = this.options
    const labelSelector = routeSelector(instance, environment)
    const found = []
    for (const resource of (await this.kinds(signal)).all) {
      const { items } = await api.list(resource, { namespace, labelSelector }, signal)
      found.push(...items.map((object) => ({ resource, object })))
    }
    return found
  }

  /** Asked anew each time: the Gateway API may be installed while the manager runs, and it costs one small read. */
  private async kinds(signal: AbortSignal): Promise<Kinds> {
    const { api, config } = this.options
    const httpRoute = await findKind(api, 'httproute', signal)
    const all = httpRoute === undefined ? [INGRESS] : [INGRESS, httpRoute]
    if (config.kind === 'none') return { made: undefined, all }
    const wantsRoute = config.kind === 'gateway-api' || (config.kind === undefined && config.gateway !== undefined)
    if (wantsRoute && config.gateway === undefined) throw notPossible('names no gateway; name one, or use ingress')
    if (wantsRoute && httpRoute !== undefined) return { made: httpRoute, all }
    if (config.kind !== 'gateway-api') return { made: INGRESS, all }
    throw notPossible('is gateway-api, but the cluster has no HTTPRoute; install the Gateway API, or use ingress')
  }

  private signal(): AbortSignal {
    return AbortSignal.timeout(this.options.timeoutMs ?? DEFAULT_TIMEOUT_MS)
  }
}

function notPossible(why: string): Error {
  return failure('ROUTES_NOT_POSSIBLE', `platform.kubernetes.routes: kind ${why}`)
}

function taken({ kind }: RouteResource, what: string): Error {
  return failure(
    'ROUTE_NAME_TAKEN',
    `${kind} ${what} was made by somebody else, so the environment gets no URL; remove or rename it`,
  )
}
