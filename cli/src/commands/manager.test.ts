import { describe, expect, it } from 'vitest'
import { EXIT_CODES } from '../errors.js'
import { runAgainst } from '../testing/fake-servers.test-support.js'
import { frozenStatus } from '../testing/samples.test-support.js'

describe('tributary status', () => {
  it('shows queue, repositories, orphans and how to let a stopped deletion go on', async () => {
    const { stdout } = await runAgainst({ 'GET /v1/status': { json: frozenStatus } }, ['status'])
    expect(stdout).toMatchInlineSnapshot(`
      "platform       local (run-from-source)
      instance       tributary
      config center  READY
      environments   9
      running        nothing
      queued         feature-y

      REPOSITORY  BRANCHES  LISTED   STATE            URL
      shop        9         2 s ago  ok               /git/shop.git
      payments    0         never    does not answer  /git/payments.git

      ORPHAN   ID    ENVIRONMENT
      process  4711  feature-z

      Deletions were stopped 10 min ago: one pass would remove 8 of 9 environments
      It would delete: feature-a, feature-b
      If that is right: tributary approve ap-1
      "
    `)
  })

  it('prints the body of the API with --json', async () => {
    const { stdout } = await runAgainst({ 'GET /v1/status': { json: frozenStatus } }, ['status', '--json'])
    expect(JSON.parse(stdout)).toEqual(frozenStatus)
  })
})

it('tributary approve names the approval', async () => {
  const answers = { 'POST /v1/breaker/approve': { json: {}, status: 202 } }
  const { requests, status } = await runAgainst(answers, ['approve', 'ap-1'])
  expect(status).toBe(EXIT_CODES.ok)
  expect(requests[0]).toMatchObject({ body: { approvalId: 'ap-1' }, authorization: 'Bearer trb_x_y' })
})

it('tributary hint names what to look at', async () => {
  const answers = { 'POST /v1/hints/git': { json: { accepted: true }, status: 202 } }
  const { requests } = await runAgainst(answers, ['hint', '--repository', 'shop', '--branch', 'feature/x'])
  expect(requests[0]?.body).toEqual({ repository: 'shop', branch: 'feature/x' })
})

describe('tributary plan', () => {
  it('shows each action with its reason', async () => {
    const plan = {
      environment: 'feature-x',
      branch: 'feature/x',
      actions: [
        {
          action: 'deploy-service',
          service: 'orders',
          commitSha: 'a36d14738918f07f6969b0a86c152faf85534699',
          reason: 'the branch moved',
        },
        { action: 'remove-service', service: 'web', reason: 'the branch does not change it any more' },
      ],
    }
    const { stdout } = await runAgainst({ 'GET /v1/environments/feature-x/plan': { json: plan } }, [
      'plan',
      'feature-x',
    ])
    expect(stdout).toMatchInlineSnapshot(`
      "   ACTION          SERVICE  COMMIT    BECAUSE
      1  deploy-service  orders   a36d1473  the branch moved
      2  remove-service  web      -         the branch does not change it any more
      "
    `)
  })

  it('says that nothing is to be done', async () => {
    const plan = { environment: 'feature-x', branch: 'feature/x', actions: [] }
    const { stdout } = await runAgainst({ 'GET /v1/environments/feature-x/plan': { json: plan } }, [
      'plan',
      'feature-x',
    ])
    expect(stdout).toBe('feature-x is as it should be: nothing to do.\n')
  })
})
