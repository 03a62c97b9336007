import { createRequire } from 'node:module'
import type sortedBtreeModule from 'sorted-btree'

// The package is CommonJS with a `default` of its own, which Node and the test runner's loader import differently: require does not.
const sortedBtree: typeof sortedBtreeModule = createRequire(import.meta.url)('sorted-btree')

/** An empty map that is iterated in the order of `compare`: a B+ tree. */
export function createOrderedMap<Key, Value>(
  compare: (left: Key, right: Key) => number,
): sortedBtreeModule.default<Key, Value> {
  return new sortedBtree.default<Key, Value>(undefined, compare)
}
