// npm run soak [-- --minutes 10]: builds, then runs replicas on a real etcd under random faults and checks every stream against the oracle.
import { parseArgs } from 'node:util'
import { createViteServer } from 'vitest/node'
import { prepare, root } from './lib/prepare.mjs'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } })
const minutes = Number(values.minutes)
if (!Number.isFinite(minutes) || minutes <= 0) {
  console.error(`--minutes is ${JSON.stringify(values.minutes)}, not a number of minutes`)
  process.exit(2)
}
prepare()
const vite = await createViteServer({
  root,
  configFile: false,
  logLevel: 'error',
  server: { middlewareMode: true, watch: null, ws: false },
  optimizeDeps: { noDiscovery: true },
  ssr: { resolve: { conditions: ['tributary-source', 'node'] } },
})
const { runSoak } = await vite.ssrLoadModule('/test/soak/soak.ts')
const passed = await runSoak({ minutes })
await vite.close()
console.log(passed ? 'soak passed' : 'soak FAILED')
process.exit(passed ? 0 : 1)
