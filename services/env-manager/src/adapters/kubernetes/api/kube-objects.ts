/** Metadata as the API server writes it. */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
  readonly ownerReferences?: readonly { readonly uid: string; readonly kind: string; readonly name: string }[]
}

/** Any object of the API. */
export interface KubeObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: ObjectMeta
}

/** A list, with the revision to watch from. */
export interface KubeList<T> {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string }
  readonly items: readonly T[]
}

/** A condition of any object's status. */
export interface KubeCondition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
}

export interface KubeNamespace extends KubeObject {
  readonly spec?: { readonly finalizers?: readonly string[] }
  readonly status?: { readonly phase?: string; readonly conditions?: readonly KubeCondition[] }
}

export interface KubeSecret extends KubeObject {
  readonly type?: string
  /** Base64. */
  readonly data?: Readonly<Record<string, string>>
}

export interface KubeServicePort {
  readonly targetPort?: number | string
  readonly name?: string
  readonly port: number
}

export interface KubeService extends KubeObject {
  readonly spec?: {
    readonly type?: string
    readonly clusterIP?: string
    readonly externalName?: string
    readonly selector?: Readonly<Record<string, string>>
    readonly ports?: readonly KubeServicePort[]
  }
}

export interface KubeDeployment extends KubeObject {
  readonly spec?: {
    readonly replicas?: number
    readonly template?: { readonly metadata?: Partial<ObjectMeta> }
  }
  readonly status?: {
    readonly observedGeneration?: number
    readonly replicas?: number
    readonly updatedReplicas?: number
    readonly readyReplicas?: number
    readonly availableReplicas?: number
    readonly conditions?: readonly KubeCondition[]
  }
}

export interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string }
  readonly running?: { readonly startedAt?: string }
  readonly terminated?: {
    readonly exitCode: number
    readonly reason?: string
    readonly message?: string
    readonly signal?: number
  }
}

export interface ContainerStatus {
  readonly name: string
  readonly ready: boolean
  readonly restartCount: number
  readonly image?: string
  readonly state?: ContainerState
  readonly lastState?: ContainerState
}

export interface KubePod extends KubeObject {
  readonly spec?: {
    readonly containers?: readonly { readonly name: string; readonly image?: string }[]
    readonly nodeName?: string
  }
  readonly status?: {
    readonly phase?: string
    readonly reason?: string
    readonly message?: string
    readonly podIP?: string
    readonly startTime?: string
    readonly conditions?: readonly KubeCondition[]
    readonly containerStatuses?: readonly ContainerStatus[]
    readonly initContainerStatuses?: readonly ContainerStatus[]
  }
}

export interface KubeEvent extends KubeObject {
  readonly involvedObject?: { readonly kind?: string; readonly name?: string; readonly uid?: string }
  readonly reason?: string
  readonly message?: string
  readonly type?: string
  readonly lastTimestamp?: string | null
  readonly eventTime?: string | null
}

/** A collection of the API: where objects of a kind live. */
export interface Resource {
  /** `v1` or `group/version`. */
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
}

const resource = (apiVersion: string, kind: string, plural: string): Resource => ({ apiVersion, kind, plural })

/** The kinds that the platform itself makes or reads. All are there in Kubernetes 1.20 and later. */
export const RESOURCES = {
  namespace: resource('v1', 'Namespace', 'namespaces'),
  secret: resource('v1', 'Secret', 'secrets'),
  service: resource('v1', 'Service', 'services'),
  pod: resource('v1', 'Pod', 'pods'),
  event: resource('v1', 'Event', 'events'),
  resourceQuota: resource('v1', 'ResourceQuota', 'resourcequotas'),
  limitRange: resource('v1', 'LimitRange', 'limitranges'),
  deployment: resource('apps/v1', 'Deployment', 'deployments'),
  replicaSet: resource('apps/v1', 'ReplicaSet', 'replicasets'),
  endpoints: resource('v1', 'Endpoints', 'endpoints'),
  roleBinding: resource('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings'),
  networkPolicy: resource('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
} as const satisfies Readonly<Record<string, Resource>>
