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

/** Runs the contract of {@link Platform}. What only some adapters can do is told by `capabilities`, and tested to be refused by the others. */
export function describePlatform(
  name: string,
  create: () => Promise<PlatformHarness>,
  capabilities: ReadonlySet<PlatformCapability>,
): void {
  describe(`${name} platform`, { timeout: TEST_MS }, () => {
    const world = new ContractWorld(create)
    beforeEach(() => world.open(), TEST_MS)
    afterEach(() => world.close(), TEST_MS)

    describeIdentity(world, capabilities)
    describeDeploys(world, capabilities)
    describeFailures(world)
    describeLogs(world)
    describeRemoval(world)
    describeCrash(world)
    if (capabilities.has('service-names')) describeServiceNames(world)
  })
}
