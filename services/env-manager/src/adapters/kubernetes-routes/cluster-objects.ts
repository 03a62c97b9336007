/** A collection of the API. */
export interface RouteResource {
  /** `group/version`. */
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
}

/** An object as far as routes are concerned; what it says of itself is in `spec`. */
export interface RouteObject {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly uid?: string
    readonly resourceVersion?: string
    readonly deletionTimestamp?: string
  }
  readonly spec?: unknown
}

/** What routes ask of an API server. Rejects with `AppError`: `KUBERNETES_NOT_FOUND` and others of the catalogue. */
export interface ClusterObjects {
  find(
    resource: RouteResource,
    ref: { readonly namespace: string; readonly name: string },
    signal: AbortSignal,
  ): Promise<RouteObject | undefined>
  list(
    resource: RouteResource,
    selection: { readonly namespace?: string; readonly labelSelector?: string },
    signal: AbortSignal,
  ): Promise<{ readonly items: readonly RouteObject[] }>
  /** `KUBERNETES_CONFLICT`: there is one of the name. */
  create(resource: RouteResource, object: RouteObject, signal: AbortSignal): Promise<RouteObject>
  /** Writes a whole object back, onto the state that its `resourceVersion` names. `KUBERNETES_CONFLICT`: it has another one by now. */
  replace(resource: RouteResource, object: RouteObject, options: { readonly signal: AbortSignal }): Promise<RouteObject>
  /** Server-side apply. */
  apply(resource: RouteResource, object: RouteObject, signal: AbortSignal): Promise<RouteObject>
  delete(
    resource: RouteResource,
    ref: { readonly namespace: string; readonly name: string },
    options: { readonly signal: AbortSignal; readonly uid?: string },
  ): Promise<void>
  /** Any document of the server, e.g. discovery. */
  read<T>(path: string, signal: AbortSignal): Promise<T>
}
