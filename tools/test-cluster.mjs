// npm run test:cluster [-- FILTER]: builds, then runs the tests that need a real cluster on the one that KUBECONFIG leads to. They make and delete
// namespaces, so point it at a cluster that nobody needs: `kind create cluster`, then `KUBECONFIG=… npm run test:cluster`.
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { prepare, root } from './lib/prepare.mjs'

const kubeconfig = process.env.TRIBUTARY_TEST_KUBECONFIG ?? process.env.KUBECONFIG
if (kubeconfig === undefined) {
  console.error('no cluster: set KUBECONFIG to the kubeconfig of one that may be used for tests')
  process.exit(2)
}
prepare()
const vitest = path.join(root, 'node_modules/vitest/vitest.mjs')
const { status } = spawnSync(process.execPath, [vitest, 'run', '--project', 'cluster*', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  // A cluster that was asked for and cannot be used is a failure, not a skip.
  env: { ...process.env, TRIBUTARY_TEST_KUBECONFIG: path.resolve(kubeconfig), CI: 'true' },
})
process.exit(status ?? 1)
