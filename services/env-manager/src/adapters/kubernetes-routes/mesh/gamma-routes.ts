import type { HeaderRoute } from '../../../domain/header-routes.js'
import type { PlatformContext, PlatformResource } from '../../../ports/platform.js'
import type { RouteObject } from '../cluster-objects.js'
import type { OptionalKindName } from '../route-kinds.js'
import { httpRoutesOf, referenceGrantOf } from './gamma-objects.js'
import { environmentOf, getKind, ledgerLineOf, listOwn, type MeshCluster } from './mesh-cluster.js'
import { writeObject } from './write-object.js'

/** Makes the HTTPRoutes and the ReferenceGrant of an environment. Resolves to all that stand now. */
export async function applyGammaRoutes(
  cluster: MeshCluster,
  given: { readonly environment: string; readonly routes: readonly HeaderRoute[] },
  context: Pick<PlatformContext, 'signal' | 'record'>,
): Promise<readonly PlatformResource[]> {
  const { environment, routes } = given
  const grant = referenceGrantOf(cluster, environment, routes)
  // Permission first: a route into a namespace that does not let it in leads nowhere.
  const grants = await applyAll(
    cluster,
    { kind: 'referencegrant', objects: grant === undefined ? [] : [grant], environment },
    context,
  )
  const objects = httpRoutesOf(cluster, environment, routes)
  return [...grants, ...(await applyAll(cluster, { kind: 'httproute', objects, environment }, context))]
}

/** All HTTPRoutes and ReferenceGrants that this instance made for meshes. */
export async function listGammaRoutes(cluster: MeshCluster, signal: AbortSignal): Promise<readonly PlatformResource[]> {
  const found = [
    ...(await listOwn(cluster, 'httproute', { signal })),
    ...(await listOwn(cluster, 'referencegrant', { signal })),
  ]
  return found.map(({ name, object }) => ledgerLineOf(name, object, environmentOf(object) ?? ''))
}

async function applyAll(
  cluster: MeshCluster,
  given: { readonly kind: OptionalKindName; readonly objects: readonly RouteObject[]; readonly environment: string },
  { signal, record }: Pick<PlatformContext, 'signal' | 'record'>,
): Promise<readonly PlatformResource[]> {
  const { kind, objects, environment } = given
  const resource = await getKind(cluster, kind, signal)
  const lines: PlatformResource[] = []
  for (const object of objects) {
    const { name, namespace = '' } = object.metadata
    const line = ledgerLineOf(kind, object, environment)
    await record(line)
    await writeObject(cluster, resource, { ref: { namespace, name }, want: () => object, signal })
    lines.push(line)
  }
  return lines
}
