import type { HeaderRoute } from '../../../domain/header-routes.js'
import type { RouteObject } from '../cluster-objects.js'
import { ROUTE_LABELS } from '../route-objects.js'
import { baggagePatternOf } from './baggage-pattern.js'
import { meshLabels, serviceHostOf, type MeshCluster } from './mesh-cluster.js'

/** One entry of `spec.http`. The name tells whose it is. */
export interface IstioRule {
  readonly name: string
  readonly [member: string]: unknown
}

const RULE_PREFIX = 'tributary.'
const DEFAULT_RULE = 'default'

/** Name of the VirtualService of a service. */
export function virtualServiceName(service: string): string {
  return `tributary.${service}`
}

/** An environment's part of a VirtualService. Pure. */
export function rulesOf(cluster: MeshCluster, environment: string, route: HeaderRoute): readonly IstioRule[] {
  const { service, to } = route
  const regex = baggagePatternOf(environment)
  return route.ports.map(({ ports, own, to: number }) => {
    const match = ports.map((port) => ({ port, headers: { baggage: { regex } } }))
    const name = `${RULE_PREFIX}${environment}.${own}`
    if (to === null)
      return { name, match, directResponse: { status: 503, body: { string: masked(environment, service) } } }
    const destination = { host: serviceHostOf(cluster, to, service), port: { number } }
    return { name, match, route: [{ destination }] }
  })
}

/**
 * The VirtualService of a service's Service: Istio takes one for a host in the mesh, so it has the rules of all environments, and the default last. It belongs
 * to the environment whose Service it stands at. Pure.
 */
export function virtualServiceOf(
  cluster: MeshCluster,
  { at, service }: Pick<HeaderRoute, 'at' | 'service'>,
  rules: readonly IstioRule[],
): RouteObject {
  const host = serviceHostOf(cluster, at, service)
  const sorted = rules.toSorted((left, right) => (left.name < right.name ? -1 : 1))
  return {
    metadata: {
      name: virtualServiceName(service),
      namespace: cluster.namespaceOf(at),
      labels: { ...meshLabels(cluster, at), [ROUTE_LABELS.service]: service },
    },
    spec: { hosts: [host], http: [...sorted, { name: DEFAULT_RULE, route: [{ destination: { host } }] }] },
  }
}

/** A VirtualService of ours that is there, as it is with these rules. Pure. */
export function withRules(cluster: MeshCluster, there: RouteObject, rules: readonly IstioRule[]): RouteObject {
  const { labels = {} } = there.metadata
  const at = labels[ROUTE_LABELS.environment] ?? ''
  return virtualServiceOf(cluster, { at, service: labels[ROUTE_LABELS.service] ?? '' }, rules)
}

/** The rules of environments in a VirtualService of ours, without the default. Pure. */
export function environmentRules({ spec }: RouteObject): readonly IstioRule[] {
  if (typeof spec !== 'object' || spec === null || !('http' in spec) || !Array.isArray(spec.http)) return []
  return spec.http.filter(isEnvironmentRule)
}

/** The environment of a rule. Pure. */
export function ruleEnvironment({ name }: IstioRule): string {
  return name.slice(RULE_PREFIX.length).split('.')[0] ?? ''
}

/** Hosts of any VirtualService, in full. Pure. */
export function hostsOf({ metadata, spec }: RouteObject, clusterDomain: string): readonly string[] {
  if (typeof spec !== 'object' || spec === null || !('hosts' in spec) || !Array.isArray(spec.hosts)) return []
  return spec.hosts
    .filter((host) => typeof host === 'string')
    .map((host) => (host.includes('.') ? host : `${host}.${metadata.namespace ?? ''}.svc.${clusterDomain}`))
}

function isEnvironmentRule(rule: unknown): rule is IstioRule {
  return (
    typeof rule === 'object' &&
    rule !== null &&
    'name' in rule &&
    typeof rule.name === 'string' &&
    rule.name.startsWith(RULE_PREFIX)
  )
}

function masked(environment: string, service: string): string {
  return `The environment ${environment} masks the service ${service}: nothing answers in its place.\n`
}
