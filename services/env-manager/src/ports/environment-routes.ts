/** Preview URLs of environments: the local gateway, or routes of a cluster. Rejects with `AppError`. */
export interface EnvironmentRoutes {
  /** URL of a service of an environment through the edge; without a service the environment's own page. */
  urlOf(environment: string, service?: string): string
  /** Serves the environment from now on. Idempotent. */
  apply(environment: string): Promise<void>
  /** Stops serving it: requests get 404 with an explanation. Idempotent. */
  remove(environment: string): Promise<void>
  /** Looks again whether the environment is still served. */
  verifyGone(environment: string): Promise<{ readonly gone: boolean; readonly evidence: string }>
  /** Environments that are served, found by looking and not by remembering. */
  list(): Promise<readonly string[]>
}
