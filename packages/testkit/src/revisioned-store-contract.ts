import { describe } from 'vitest'
import { type CreateRevisionedStore, type RevisionedStoreCapabilities, useStore } from './store-contract/harness.js'
import { leaseRules } from './store-contract/lease-rules.js'
import { modelRules } from './store-contract/model-rules.js'
import { rangeRules } from './store-contract/range-rules.js'
import { reopenRules } from './store-contract/reopen-rules.js'
import { transactionRules } from './store-contract/transaction-rules.js'
import { watchRules } from './store-contract/watch-rules.js'

/**
 * Declares the tests that every adapter of `RevisionedStore` passes: exactly what the port promises, no more. Each test gets a
 * store of its own from `create`. What an adapter cannot do is declared in `capabilities` and reported as skipped.
 */
export function describeRevisionedStore(
  name: string,
  create: CreateRevisionedStore,
  capabilities: RevisionedStoreCapabilities,
): void {
  describe(`${name} as a revisioned store`, () => {
    const test = useStore(create, capabilities)
    transactionRules(test)
    rangeRules(test)
    watchRules(test)
    leaseRules(test)
    reopenRules(test)
    modelRules(test)
  })
}
