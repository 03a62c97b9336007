// A manager in a process of its own, to be killed. Argument: JSON {built, git, platform, spec, hangAt}, with `built` the URL of the built adapters. Prints one
// JSON line for each event, then waits.
const given = JSON.parse(process.argv[2] ?? '{}')
const { createGitSourceControl } = await import(new URL('git/index.js', given.built).href)
const { createLocalPlatform } = await import(new URL('local/local-platform.js', given.built).href)

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
