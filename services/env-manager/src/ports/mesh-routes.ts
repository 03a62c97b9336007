import type { HeaderRoute } from '../domain/header-routes.js'
import type { PlatformContext, PlatformResource } from './platform.js'

/** Ledger's words for what header routes are made of. */
export const MESH_KINDS: readonly string[] = ['httproute', 'referencegrant', 'virtualservice']

/**
 * Header routes of a service mesh: requests that bear an environment in their `baggage` are led to it where they arrive, for programs without the SDK.
 * Every method is idempotent and rejects with `AppError`.
 */
export interface MeshRoutes {
  /** What they are made as. `none`: nothing is made, but what an earlier configuration made is still found and removed. */
  readonly kind: 'gamma' | 'istio' | 'none'
  /** Host name of the Service of a service in an environment. */
  hostOf(environment: string, service: string): string
  /**
   * Makes these routes of an environment, each recorded before. Resolves to everything that now stands for it; what else the ledger has is the caller's
   * to {@link MeshRoutes.remove}. `ROUTES_NOT_POSSIBLE`: the cluster lacks the kind. `ROUTE_NAME_TAKEN`: somebody else's is in the way.
   */
  apply(
    environment: string,
    routes: readonly HeaderRoute[],
    context: Pick<PlatformContext, 'signal' | 'record'>,
  ): Promise<readonly PlatformResource[]>
  /** Removes one thing, or the environment's part of one that several share. Somebody else's is left alone. */
  remove(resource: PlatformResource, signal: AbortSignal): Promise<void>
  /** Looks again, at the API server. */
  verifyGone(resource: PlatformResource): Promise<{ readonly gone: boolean; readonly evidence: string }>
  /** Everything of this instance, found by looking and not by remembering. */
  list(): Promise<readonly PlatformResource[]>
}
