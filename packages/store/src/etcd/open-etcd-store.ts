import { type EtcdStoreOptions, resolveEtcdOptions } from './etcd-options.js'
import type { EtcdRevisionedStore } from './etcd-revisioned-store.js'

/**
 * Opens the store below `prefix` of an etcd cluster. It proves that the cluster answers, is new enough and lets this user in.
 * @throws AppError `STORE_UNAVAILABLE` (retryable): no member answers. `STORE_ACCESS_DENIED`, `STORE_VERSION_UNSUPPORTED`,
 * `STORE_FULL`, `STORE_INVALID_REQUEST` for an option that breaks its rule.
 */
export async function openEtcdStore(options: EtcdStoreOptions): Promise<EtcdRevisionedStore> {
  const resolved = resolveEtcdOptions(options)
  // Loaded when it is needed: the gRPC client costs 0.1 s and 20 MB, which a process with an embedded store should not pay.
  const { connectEtcdStore } = await import('./connect-etcd-store.js')
  return await connectEtcdStore(resolved)
}
