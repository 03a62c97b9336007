import type { ConfigCenterClient } from '@tributary/client'

/**
 * What the env-manager needs of the config center, with a deployer's token: tenants, entries and documents of environments,
 * their tokens, and reading for the topology. The typed client is the adapter. Rejects with `AppError` carrying the server's code.
 */
export type ConfigCenter = Pick<
  ConfigCenterClient,
  | 'listTenants'
  | 'getTenant'
  | 'applyTenant'
  | 'deleteTenant'
  | 'listEntries'
  | 'listDocuments'
  | 'listSchemas'
  | 'transact'
  | 'getView'
  | 'explain'
  | 'getCalls'
  | 'listLeaks'
  | 'convergence'
  | 'watchChanges'
  | 'createToken'
  | 'listTokens'
  | 'revokeToken'
>
