/** Names of the example's repositories. */
export const REPOSITORIES: readonly ['shop', 'payments']

/** Paths of the example's bare repositories. */
export interface ShopRepositories {
  readonly shop: string
  readonly payments: string
}

/**
 * Makes the example's bare git repositories in `directory`: a branch `main` with one commit that bears the tag `v1.0`. With
 * `contextFile` (what `tributary up` writes) a push tells the env-manager. Answers their paths by name; repositories that are there stay.
 */
export function createRepositories(options: {
  readonly directory: string
  readonly contextFile?: string
}): Promise<ShopRepositories>

/** Writes a platform configuration (`tributary.config.yaml`) for repositories by name; `settings` are further top-level members. */
export function writePlatformConfig(options: {
  readonly file: string
  readonly repositories: Readonly<Record<string, string>> | ShopRepositories
  readonly settings?: Readonly<Record<string, unknown>>
}): Promise<void>

/**
 * Lets everything below `directory` import `@tributary/sdk` from this project: it stands in for the `npm ci` that a service of your own
 * would name as its build command.
 */
export function linkSdk(directory: string): Promise<void>
