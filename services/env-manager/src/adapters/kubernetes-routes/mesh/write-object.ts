import { isAppError } from '@tributary/kit'
import type { RouteObject, RouteResource } from '../cluster-objects.js'
import { findOwn, type MeshCluster } from './mesh-cluster.js'

/** How often is looked again when somebody else was faster. */
const MAX_ATTEMPTS = 3

/**
 * Makes an object of ours what `want` says of the one that is there now; nothing is written when it is that already. Written onto what was read: several
 * environments may have a part in it.
 * @throws AppError `ROUTE_NAME_TAKEN`
 */
export async function writeObject(
  cluster: MeshCluster,
  resource: RouteResource,
  given: {
    readonly ref: { readonly namespace: string; readonly name: string }
    readonly want: (there: RouteObject | undefined) => RouteObject | Promise<RouteObject>
    readonly signal: AbortSignal
  },
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await writeOnce(cluster, resource, given)
    } catch (error) {
      if (!isAppError(error, 'KUBERNETES_CONFLICT') || attempt === MAX_ATTEMPTS) throw error
    }
  }
}

async function writeOnce(
  cluster: MeshCluster,
  resource: RouteResource,
  { ref, want, signal }: Parameters<typeof writeObject>[2],
): Promise<void> {
  const there = await findOwn(cluster, resource, { ref, signal })
  const wanted = await want(there)
  if (there === undefined) return void (await cluster.api.create(resource, wanted, signal))
  if (contains(there, wanted)) return
  const metadata = { ...there.metadata, labels: { ...there.metadata.labels, ...wanted.metadata.labels } }
  await cluster.api.replace(resource, { ...there, metadata, spec: wanted.spec }, { signal })
}

/** Whether everything that is wanted is there; the API server adds defaults. Lists must have the same length. */
function contains(there: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(there) || there.length !== wanted.length) return false
    return wanted.every((item, index) => contains(there[index], item))
  }
  if (typeof wanted !== 'object' || wanted === null) return there === wanted
  if (typeof there !== 'object' || there === null) return false
  const members = new Map<string, unknown>(Object.entries(there))
  return Object.entries(wanted).every(([name, value]) => contains(members.get(name), value))
}
