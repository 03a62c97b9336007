import { describePlatform } from '../../ports/platform-contract.test-support.js'
import { LocalWorld } from './local-world.test-support.js'

describePlatform('local', () => LocalWorld.create(), new Set(['run-from-source'] as const))
