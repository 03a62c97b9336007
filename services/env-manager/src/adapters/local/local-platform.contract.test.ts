import { describePlatform } from '../../ports/platform-contract.test-support.js'
import { LocalWorld } from './local-world.test-support.js'

describePlatform('local', () => LocalWorld.create(), {
  capabilities: new Set(['run-from-source'] as const),
})
