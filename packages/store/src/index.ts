export type * from './revisioned-store.js'
export * from './errors.js'
export { EmbeddedRevisionedStore } from './embedded/embedded-revisioned-store.js'
export { type EmbeddedStoreOptions, openEmbeddedStore } from './embedded/open-embedded-store.js'
