import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { linkSdk } from '../../examples/shop/create-repositories.mjs'
import { GitFixture } from '../support/git-fixture.js'
import { PlatformFixture } from '../support/platform.js'
import { tinyService } from '../support/tiny-service.js'
import { waitFor } from '../support/wait-for.js'

interface Answer {
  readonly tenant: string
  readonly text: string
  readonly asked: string
  readonly callbackUrl: string
}

/** A service that answers who it is, what it was asked, and a callback URL for the environment that asks. */
const serviceOf = (text: string): Record<string, string> => ({
  ...tinyService(text),
  'server.mjs': `import { createServer } from 'node:http'
import { connect, withRoutingContext } from '@tributary/sdk'
const client = await connect()
createServer(withRoutingContext(client, (request, response) => {
  const callbackUrl = client.callbackUrl('tiny', '/paid')
  response.end(JSON.stringify({ tenant: client.tenant, text: ${JSON.stringify(text)}, asked: request.url, callbackUrl }))
})).listen(Number(process.env.PORT), process.env.HOST)
`,
})

describe('a callback through the gateway', () => {
  let platform: PlatformFixture
  let git: GitFixture

  beforeAll(async () => {
    platform = await PlatformFixture.prepare()
    await linkSdk(platform.directory)
    git = await GitFixture.create(path.join(platform.directory, 'git'), 'tiny', serviceOf('main'))
    await platform.writeConfig({ repositories: { tiny: git.url }, settings: { pollSeconds: 1, drainSeconds: 0 } })
    await platform.start()
    await platform.untilReady('integration')
  })

  afterAll(async () => {
    await platform.remove()
  })

  it('comes back to its environment, also after the platform was killed, and gets 410 when the environment is gone', async () => {
    await platform.untilReady('feature-pay', { tiny: await git.push('feature/pay', serviceOf('pay')) })
    const { callbackUrl } = await platform.get<Answer>('feature-pay', '/tiny/')
    const { hostname, pathname } = new URL(callbackUrl)
    expect(hostname).toBe('integration.localhost')
    const callBack = (target = pathname) => platform.get<Answer>('integration', `${target}?status=ok`)
    expect(await callBack()).toMatchObject({ tenant: 'feature-pay', text: 'pay', asked: '/paid?status=ok' })
    await expect(callBack(pathname.replace('/paid', '/refund'))).rejects.toThrow('answers 403')

    await platform.kill()
    await platform.start()
    const answer = await waitFor('the environment is served again', callBack)
    expect(answer).toMatchObject({ tenant: 'feature-pay', asked: '/paid?status=ok' })

    await git.delete('feature/pay')
    await platform.untilGone('feature-pay')
    await expect(callBack()).rejects.toThrow(/answers 410: .*the environment feature-pay is gone/)
  })
})
