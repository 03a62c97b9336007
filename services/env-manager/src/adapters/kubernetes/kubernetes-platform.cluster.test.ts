import { describeWithCluster } from '@tributary/testkit'
import { afterAll } from 'vitest'
import { describePlatform } from '../../ports/platform-contract.test-support.js'
import { KubernetesWorld, untilClean } from './kubernetes-world.test-support.js'

describeWithCluster('on a cluster', () => {
  afterAll(untilClean, 180_000)

  describePlatform(
    'kubernetes',
    () => KubernetesWorld.create(),
    new Set(['run-from-image', 'in-place-upgrade', 'service-names'] as const),
  )
})
