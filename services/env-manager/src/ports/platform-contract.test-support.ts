import { afterEach, beforeEach, describe } from 'vitest'
import type { PlatformCapability } from './platform.js'
import { ContractWorld, type PlatformHarness } from './platform-contract/contract-world.test-support.js'
import { describeCrash } from './platform-contract/crash.test-support.js'
import { describeDeploys } from './platform-contract/deploys.test-support.js'
import { describeFailures } from './platform-contract/failures.test-support.js'
import { describeIdentity } from './platform-contract/identity.test-support.js'
import { describeLogs } from './platform-contract/logs.test-support.js'
import { describeRemoval } from './platform-contract/removal.test-support.js'
import { describeServiceNames } from './platform-contract/service-names.test-support.js'

export {
  type ContractProgram,
  type PlatformHarness,
  type ProgramSource,
  until,
} from './platform-contract/contract-world.test-support.js'

/** Of a test; generous, because namespaces take their time. */
const TEST_MS = 180_000

/** What of the contract is run, and against what. */
export interface ContractOptions {
  /** What only some adapters can do; it is tested to be refused by the others. */
  readonly capabilities: ReadonlySet<PlatformCapability>
  /** Where it takes minutes, two test files share it, each with one half. Default: both. */
  readonly halves?: readonly ContractHalf[]
}

/** Each half ends with the tests that wait until their environments are gone: those of the others are gone by then too. */
const HALVES = {
  serving: (world: ContractWorld, capabilities: ReadonlySet<PlatformCapability>) => {
    describeIdentity(world, capabilities)
    describeDeploys(world, capabilities)
    if (capabilities.has('service-names')) describeServiceNames(world)
    describeCrash(world)
  },
  ending: (world: ContractWorld) => {
    describeFailures(world)
    describeLogs(world)
    describeRemoval(world)
  },
} as const
type ContractHalf = keyof typeof HALVES

/** Runs the contract of {@link Platform}. */
export function describePlatform(
  name: string,
  create: () => Promise<PlatformHarness>,
  { capabilities, halves = ['serving', 'ending'] }: ContractOptions,
): void {
  describe(`${name} platform`, { timeout: TEST_MS }, () => {
    const world = new ContractWorld(create)
    beforeEach(() => world.open(), TEST_MS)
    afterEach(() => world.close(), TEST_MS)
    for (const half of halves) HALVES[half](world, capabilities)
  })
}
