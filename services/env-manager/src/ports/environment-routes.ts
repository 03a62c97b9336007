/** Told of requests, one call for each: it must be cheap and must not throw. */
export interface RequestListener {
  /** A request goes to a service of the environment. */
  used(environment: string): void
  /** Somebody wants something of an environment that is suspended. */
  wanted(environment: string): void
}

/** Preview URLs of environments: the local gateway, or routes of a cluster. Rejects with `AppError`. */
export interface EnvironmentRoutes {
  /** URL of a service of an environment through the edge; without a service the environment's own page. */
  urlOf(environment: string, service?: string): string
  /** Serves the environment from now on. Idempotent. */
  apply(environment: string): Promise<void>
  /**
   * From now until {@link EnvironmentRoutes.apply}, answers requests of the environment with 503 and the word that it is being woken, and tells
   * {@link EnvironmentRoutes.follow}. Idempotent. Routes without it lead to the baseline meanwhile.
   */
  suspend?(environment: string): Promise<void>
  /** Ends a suspension of an environment that is awake and has nothing to be deployed. Cheap, idempotent. */
  resume?(environment: string): void
  /** Tells of requests that come through the edge. Returns how to stop that. Routes without it tell nothing. */
  follow?(listener: RequestListener): () => void
  /** False while what {@link EnvironmentRoutes.follow} tells may be missing. Default: with `follow` nothing is. */
  countsRequests?(): boolean
  /** Stops serving it: requests get 404 with an explanation. Idempotent. */
  remove(environment: string): Promise<void>
  /** Looks again whether the environment is still served. */
  verifyGone(environment: string): Promise<{ readonly gone: boolean; readonly evidence: string }>
  /** Environments that are served, found by looking and not by remembering. */
  list(): Promise<readonly string[]>
}
