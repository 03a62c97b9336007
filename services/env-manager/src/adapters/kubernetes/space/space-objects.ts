import type { KubernetesConfig } from '../../../domain/kubernetes-config.js'
import { RESOURCES, type KubeObject, type Resource } from '../api/kube-objects.js'
import { ANNOTATIONS, LABELS, labelsOf } from '../names.js'

/** Whose space it is. */
export interface SpaceIdentity {
  readonly instance: string
  readonly environment: string
  readonly namespace: string
}

/** An object with the collection that it goes into. */
export interface PlannedObject {
  readonly resource: Resource
  readonly object: KubeObject
}

/** Name of the objects that a space has one of. */
const SPACE_OBJECT = 'tributary-environment'
/** Label that the API server gives every namespace since 1.21. */
const NAMESPACE_NAME = 'kubernetes.io/metadata.name'

/** The namespace. Pods must meet the baseline of Pod Security; the restricted profile warns, because own charts may need more. */
export function namespaceObject(identity: SpaceIdentity, generation: number): KubeObject {
  return {
    metadata: {
      name: identity.namespace,
      labels: {
        ...labelsOf(identity),
        'pod-security.kubernetes.io/enforce': 'baseline',
        'pod-security.kubernetes.io/warn': 'restricted',
      },
      annotations: { [ANNOTATIONS.generation]: String(generation) },
    },
  }
}

/** Everything that a space holds before any workload, besides copied secrets. Pure. */
export function spaceObjects(identity: SpaceIdentity, config: KubernetesConfig): readonly PlannedObject[] {
  return [...bounds(identity, config), ...access(identity, config), ...policies(identity, config)]
}

function bounds(identity: SpaceIdentity, { quota, limits }: KubernetesConfig): readonly PlannedObject[] {
  const objects: PlannedObject[] = []
  if (Object.keys(quota).length > 0) objects.push(planned(RESOURCES.resourceQuota, identity, { spec: { hard: quota } }))
  if (Object.keys(limits).length > 0)
    objects.push(planned(RESOURCES.limitRange, identity, { spec: { limits: [{ type: 'Container', ...limits }] } }))
  return objects
}

function access(identity: SpaceIdentity, { access }: KubernetesConfig): readonly PlannedObject[] {
  if (access === undefined) return []
  return [
    planned(RESOURCES.roleBinding, identity, {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: access.clusterRole },
      subjects: [{ kind: 'ServiceAccount', ...access.serviceAccount }],
    }),
  ]
}

/** Ingress: nothing but the installation's own namespaces and those that are named. Egress: open, or DNS, the installation and the configured rules. */
function policies(identity: SpaceIdentity, config: KubernetesConfig): readonly PlannedObject[] {
  const { enabled, allowFromNamespaces, egress } = config.networkPolicies
  if (!enabled) return []
  const ours = { namespaceSelector: { matchLabels: { [LABELS.instance]: identity.instance } } }
  const named = [config.systemNamespace, ...allowFromNamespaces]
  const others = { namespaceSelector: { matchExpressions: [{ key: NAMESPACE_NAME, operator: 'In', values: named }] } }
  const ingress = [{ from: [{ podSelector: {} }, ours, others] }]
  const dns = {
    ports: [
      { protocol: 'UDP', port: 53 },
      { protocol: 'TCP', port: 53 },
    ],
  }
  const outgoing = egress === undefined ? {} : { egress: [dns, { to: [{ podSelector: {} }, ours, others] }, ...egress] }
  const policyTypes = egress === undefined ? ['Ingress'] : ['Ingress', 'Egress']
  return [planned(RESOURCES.networkPolicy, identity, { spec: { podSelector: {}, policyTypes, ingress, ...outgoing } })]
}

function planned(
  resource: Resource,
  identity: SpaceIdentity,
  content: Readonly<Record<string, unknown>>,
): PlannedObject {
  const labels = labelsOf(identity, { purpose: 'space' })
  return { resource, object: { metadata: { name: SPACE_OBJECT, namespace: identity.namespace, labels }, ...content } }
}
