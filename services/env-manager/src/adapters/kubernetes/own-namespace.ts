import { failure } from '../../errors.js'
import { RESOURCES, type KubeNamespace } from './api/kube-objects.js'
import type { KubernetesParts } from './kubernetes-parts.js'
import { LABELS } from './names.js'

/** The namespace of an environment when it is ours; undefined when there is none. @throws AppError `NAMESPACE_FOREIGN` */
export async function findOwnNamespace(
  parts: Pick<KubernetesParts, 'api' | 'instance' | 'spaces'>,
  environment: string,
  signal: AbortSignal,
): Promise<KubeNamespace | undefined> {
  const name = parts.spaces.namespaceOf(environment)
  const found = await parts.api.find<KubeNamespace>(RESOURCES.namespace, { name }, signal)
  if (found === undefined || isOwn(parts, found)) return found
  throw failure(
    'NAMESPACE_FOREIGN',
    `The namespace ${name} was not made by this installation (its label ${LABELS.instance} is ${JSON.stringify(found.metadata.labels?.[LABELS.instance] ?? null)}, not "${parts.instance}"); it is left alone. Rename the branch, or remove the namespace if nobody needs it`,
  )
}

/** True when the namespace bears this installation's labels. */
export function isOwn(
  { instance, spaces }: Pick<KubernetesParts, 'instance' | 'spaces'>,
  { metadata }: KubeNamespace,
): boolean {
  const environment = metadata.labels?.[LABELS.environment]
  return metadata.labels?.[LABELS.instance] === instance && environment === spaces.environmentOf(metadata.name)
}
