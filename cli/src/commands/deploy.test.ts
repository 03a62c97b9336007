import { describe, expect, it } from 'vitest'
import { EXIT_CODES } from '../errors.js'
import { runAgainst } from '../testing/fake-servers.test-support.js'
import { featureX } from '../testing/samples.test-support.js'

const COMMIT = 'a36d1473'.padEnd(40, '0')
const IMAGE = `registry.example/orders@sha256:${'1'.repeat(64)}`
const PATH = `PUT /v1/environments/feature-x/services/orders/images/${COMMIT}`

const deploy = (outcome: string, ...args: string[]) =>
  runAgainst(
    {
      'GET /v1/environments': { json: { environments: [featureX] } },
      [PATH]: { json: { outcome }, status: 202 },
    },
    ['deploy', ...args, '--image', IMAGE, '--commit', COMMIT],
  )

describe('tributary deploy', () => {
  it('names the image to the environment of a branch, and says what follows', async () => {
    const { stdout, status, requests } = await deploy('deploys', 'feature/x', 'orders')
    expect(requests.at(-1)?.body).toEqual({ image: IMAGE })
    expect(stdout).toBe(
      'feature-x/orders: a36d1473 is deployed with this image; `tributary env wait feature-x` returns when it is ready\n',
    )
    expect(status).toBe(EXIT_CODES.ok)
  })

  it.each([
    ['replaces', /another image of a36d1473 runs; this one replaces it; /],
    ['known', /was named before; nothing changes/],
    ['kept', /the image is kept; the environment does not wait for one of a36d1473 now/],
  ])('says that an image %s', async (outcome, said) => {
    expect((await deploy(outcome, 'feature-x', 'orders')).stdout).toMatch(said)
  })

  it('prints JSON for programs', async () => {
    const { stdout } = await deploy('kept', 'feature-x', 'orders', '--json')
    const told = { environment: 'feature-x', service: 'orders', commitSha: COMMIT, image: IMAGE, outcome: 'kept' }
    expect(JSON.parse(stdout)).toEqual(told)
  })

  it('wants the whole id of the commit', async () => {
    const { stderr, status, requests } = await runAgainst({}, [
      'deploy',
      'x',
      'y',
      '--image',
      IMAGE,
      '--commit',
      'a36d1473',
    ])
    expect(stderr).toContain('as `git rev-parse HEAD` prints it, not "a36d1473"')
    expect([status, requests]).toEqual([EXIT_CODES.usage, []])
  })

  it('gives up on a branch that has no environment', async () => {
    const { stderr, status } = await deploy('deploys', 'feature/y', 'orders', '--timeout', '0s')
    expect(stderr).toContain('There is no environment or branch feature/y; has it been pushed')
    expect(status).toBe(EXIT_CODES.timedOut)
  })
})
