import { describeWithCluster } from '@tributary/testkit'
import { afterAll } from 'vitest'
import { describePlatform } from '../../ports/platform-contract.test-support.js'
import { CAPABILITIES, KubernetesWorld, untilClean } from './kubernetes-world.test-support.js'

describeWithCluster('on a cluster', () => {
  afterAll(untilClean, 180_000)

  describePlatform('kubernetes', () => KubernetesWorld.create(), { capabilities: CAPABILITIES, halves: ['serving'] })
})
