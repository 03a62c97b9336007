import { beforeAll, describe } from 'vitest'
import { etcdMissing } from './etcd-server.js'

/**
 * Declares tests that need a real etcd. Where it is missing they are skipped, with what to install in their name; with `CI=true`
 * they fail.
 */
export function describeWithEtcd(name: string, declare: () => void): void {
  const missing = etcdMissing()
  const isSkipped = missing !== undefined && process.env['CI'] !== 'true'
  describe.skipIf(isSkipped)(`${name}${missing === undefined ? '' : ` (${missing})`}`, () => {
    beforeAll(() => {
      if (missing !== undefined) throw new Error(missing)
    })
    declare()
  })
}
