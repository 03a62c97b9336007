import {
  ENV_MANAGER_PERMISSIONS,
  MESH_PERMISSIONS,
  type ClusterAccessReport,
  type ClusterPermission,
  type PermissionScope,
  type ReviewedPermission,
} from '../../domain/cluster-permissions.js'
import type { KubernetesConfig } from '../../domain/kubernetes-config.js'
import type { KubeApi } from './api/kube-api.js'
import { RESOURCES, type KubeObject } from './api/kube-objects.js'
import { LABELS } from './names.js'
import { openCluster } from './open-cluster.js'

/** Whose access is reviewed. */
export interface AccessReviewOptions {
  readonly instance: string
  readonly config: KubernetesConfig
  readonly signal: AbortSignal
}

const PARALLEL = 8
/** Somebody waits for the answer. */
const PATIENCE_MS = 5_000
const SELF_REVIEW = {
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
}

interface Question {
  readonly permission: ClusterPermission
  readonly verb: string
  readonly namespace: string | undefined
}

interface SelfReview extends KubeObject {
  readonly spec: unknown
  readonly status?: { readonly allowed?: boolean }
}

/**
 * Asks the API server, by SelfSubjectAccessReview, for each permission that the env-manager needs. Rejects with `KUBERNETES_*` or `CONFIG_INVALID`
 * when it cannot be asked.
 */
export async function reviewAccess({
  config,
  instance,
  signal,
}: AccessReviewOptions): Promise<Omit<ClusterAccessReport, 'mesh'>> {
  const cluster = openCluster(config, { patienceMs: PATIENCE_MS })
  const { api, server } = cluster
  try {
    const { gitVersion: version } = await api.read<{ readonly gitVersion: string }>('/version', signal)
    const environmentNamespace = config.access === undefined ? null : await findNamespace(api, instance, signal)
    const questions = questionsOf(config, environmentNamespace)
    const permissions = await inTurns(questions, async (question) =>
      reviewed(question, await ask(api, question, signal)),
    )
    return { server, version, environmentNamespace, permissions }
  } finally {
    cluster.close()
  }
}

/** Any environment's namespace stands for all: the role is the same. Null: there is none, or we may not even look. */
async function findNamespace(api: KubeApi, instance: string, signal: AbortSignal): Promise<string | null> {
  const labelSelector = `${LABELS.instance}=${instance}`
  const found = await api.list(RESOURCES.namespace, { labelSelector }, signal).catch(() => undefined)
  return found?.items[0]?.metadata.name ?? null
}

async function ask(api: KubeApi, { permission, verb, namespace }: Question, signal: AbortSignal): Promise<boolean> {
  const [resource, subresource] = permission.resource.split('/')
  const resourceAttributes = { group: permission.group, resource, subresource, verb, namespace }
  const review: SelfReview = { metadata: { name: '' }, spec: { resourceAttributes } }
  const { status } = await api.create(SELF_REVIEW, review, signal)
  return status?.allowed === true
}

function questionsOf(config: KubernetesConfig, environmentNamespace: string | null): readonly Question[] {
  const namespaces: Readonly<Record<PermissionScope, string | null | undefined>> = {
    cluster: undefined,
    system: config.systemNamespace,
    // Without a role in each namespace the account needs its rights in all of them.
    environment: config.access === undefined ? undefined : environmentNamespace,
  }
  const needed = [...ENV_MANAGER_PERMISSIONS, ...(config.mesh === undefined ? [] : MESH_PERMISSIONS[config.mesh])]
  return needed.flatMap((permission) => {
    const namespace = namespaces[permission.scope]
    return namespace === null ? [] : permission.verbs.map((verb) => ({ permission, verb, namespace }))
  })
}

function reviewed(
  { permission: { scope, group, resource, onlyFor }, verb }: Question,
  allowed: boolean,
): ReviewedPermission {
  return { scope, group, resource, verb, allowed, onlyFor: onlyFor ?? null }
}

/** At most {@link PARALLEL} at a time; answers in the order of the questions. */
async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  const entries = items.entries()
  const worker = async (): Promise<void> => {
    for (const [index, item] of entries) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
  return results
}
