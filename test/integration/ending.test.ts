import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { ensureBuilt } from '@tributary/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { GitFixture } from '../support/git-fixture.js'
import { processesBelow } from '../support/left-over.js'
import { PlatformFixture } from '../support/platform.js'
import { tinyService } from '../support/tiny-service.js'

/** More than what fits into the buffers between the service and who reads slowly. */
const ANSWER_BYTES = 20_000_000

/** Answers `/large` once it has been asked to end, and ends once it has answered. */
const SERVER = `import { createServer } from 'node:http'
const waiting = []
const server = createServer((request, response) => {
  if (request.url !== '/large') return response.end('ready')
  waiting.push(response)
  response.writeHead(200, { 'content-length': ${ANSWER_BYTES}, connection: 'close' }).flushHeaders()
})
server.listen(Number(process.env.PORT), process.env.HOST)
process.once('SIGTERM', () => {
  server.close()
  for (const response of waiting) response.end('x'.repeat(${ANSWER_BYTES}))
})
`

let platform: PlatformFixture

beforeEach(async () => {
  await ensureBuilt('cli')
  platform = await PlatformFixture.prepare()
})
afterEach(() => platform.remove())

async function startPlatform(): Promise<void> {
  const files = { ...tinyService('main'), 'server.mjs': SERVER }
  const git = await GitFixture.create(path.join(platform.directory, 'git'), 'tiny', files)
  await platform.writeConfig({ repositories: { tiny: git.url } })
  await platform.start()
  await platform.untilReady('integration')
}

async function askForLarge(): Promise<IncomingMessage> {
  const { hostname, port } = new URL(platform.gatewayUrl)
  const headers = { host: `integration.localhost:${port}` }
  const asking = request({ hostname, port, path: '/tiny/large', headers, agent: false }).end()
  const [answer] = (await once(asking, 'response')) as [IncomingMessage]
  return answer
}

it('lets the request that is under way through the gateway get its whole answer when the platform is stopped', async () => {
  await startPlatform()
  const answer = await askForLarge()
  const status = platform.stop()
  expect((await text(answer)).length).toBe(ANSWER_BYTES)
  expect(await status).toBe(0)
  expect(await processesBelow(platform.directory)).toEqual([])
})
