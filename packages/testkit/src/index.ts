export * from './eventually.js'
export * from './manual-clock.js'
export * from './revisioned-store-contract.js'
export type * from './store-contract/harness.js'
