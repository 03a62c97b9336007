import { existsSync } from 'node:fs'
import { beforeAll, describe } from 'vitest'

/** Never `KUBECONFIG` itself: a developer's points at a cluster that matters, and these tests make and delete namespaces. */
const VARIABLE = 'TRIBUTARY_TEST_KUBECONFIG'
/** `true` where no cluster can be had: the tests are skipped in CI too, as visibly as elsewhere. */
const WITHOUT = 'TRIBUTARY_TEST_WITHOUT_CLUSTER'

/** The kubeconfig of the cluster to test on: `TRIBUTARY_TEST_KUBECONFIG`. Throws when there is none. */
export function testKubeconfig(): string {
  const missing = clusterMissing()
  const path = process.env[VARIABLE]
  if (missing !== undefined || path === undefined) throw new Error(missing)
  return path
}

/**
 * Declares tests that need a real cluster, the one that `TRIBUTARY_TEST_KUBECONFIG` leads to (`npm run test:cluster` sets it from `KUBECONFIG`).
 * Without it they are skipped, with what to do in their name; with `CI=true` they fail, unless `TRIBUTARY_TEST_WITHOUT_CLUSTER=true` says that there can be none.
 */
export function describeWithCluster(name: string, declare: () => void): void {
  const missing = clusterMissing()
  const isRequired = process.env['CI'] === 'true' && process.env[WITHOUT] !== 'true'
  const isSkipped = missing !== undefined && !isRequired
  describe.skipIf(isSkipped)(`${name}${missing === undefined ? '' : ` (${missing})`}`, () => {
    beforeAll(() => {
      if (missing !== undefined) throw new Error(missing)
    })
    declare()
  })
}

function clusterMissing(): string | undefined {
  const path = process.env[VARIABLE]
  if (path !== undefined && existsSync(path)) return undefined
  return `no cluster: set ${VARIABLE} to the kubeconfig of one that may be used for tests`
}
