export type * from './revisioned-store.js'
export {
  STORE_ERRORS,
  storeError,
  type StoreErrorCode,
  type StoreErrorContext,
  type StoreErrorDefinition,
} from './errors.js'
export { EmbeddedRevisionedStore } from './embedded/embedded-revisioned-store.js'
export { type EmbeddedStoreOptions, openEmbeddedStore } from './embedded/open-embedded-store.js'
export { LeasedEntry, type LeasedEntryOptions } from './leased-entry.js'
export type { EtcdRevisionedStore } from './etcd/etcd-revisioned-store.js'
export type { EtcdStoreOptions } from './etcd/etcd-options.js'
export {
  addStoreKey,
  parseStoreKeys,
  readStoreKeys,
  type StoreKeys,
  type StoreKeySource,
} from './encryption/store-keys.js'
export { isSealed, openLines, readSealedLines, sealLines } from './encryption/sealed-lines.js'
export { openEtcdStore } from './etcd/open-etcd-store.js'
export { openStore, readStoreChoice, type StoreChoice, type StorePlace } from './store-choice.js'
