// A manager in a process of its own, to be killed. Argument: JSON {root, git, platform, spec, hangAt}. Prints one JSON line for each event, then waits.
import { createViteServer } from 'vitest/node'

const given = JSON.parse(process.argv[2] ?? '{}')
const conditions = ['tributary-source', 'node', 'import', 'default']
const vite = await createViteServer({
  root: given.root,
  configFile: false,
  logLevel: 'silent',
  server: { middlewareMode: true, watch: null, ws: false },
  optimizeDeps: { noDiscovery: true },
  ssr: { resolve: { conditions } },
})
const { createGitSourceControl } = await vite.ssrLoadModule('/services/env-manager/src/adapters/git/index.ts')
const { createLocalPlatform } = await vite.ssrLoadModule('/services/env-manager/src/adapters/local/local-platform.ts')

const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`)
const signal = new AbortController().signal
const sourceControl = createGitSourceControl({ ...given.git, host: process.env })
const platform = createLocalPlatform({ ...given.platform, sourceControl, host: process.env })
const context = {
  signal,
  record: async (resource) => {
    say({ recorded: resource })
    if (given.hangAt === resource.kind) await new Promise(() => undefined)
  },
  log: (text) => say({ logged: text }),
}
await platform.start({ signal })
await platform.ensureSpace(given.spec.environment, 1, context)
const { workloadId } = await platform.deployWorkload(given.spec, context)
say({ healthy: await platform.awaitHealthy(workloadId, { signal, timeoutMs: 20_000 }) })
setInterval(() => undefined, 1000)
