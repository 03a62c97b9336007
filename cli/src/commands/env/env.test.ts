import type { Environment } from '@tributary/contract'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { EXIT_CODES } from '../../errors.js'
import { errorBody, runAgainst } from '../../testing/fake-servers.test-support.js'
import { brokenX, featureX, run7 } from '../../testing/samples.test-support.js'

const ready = { 'GET /v1/environments/feature-x': { json: featureX } }

describe('tributary env', () => {
  it('lists environments as a table', async () => {
    const { stdout, status } = await runAgainst(
      { 'GET /v1/environments': { json: { environments: [featureX, { ...brokenX, name: 'feature-broken' }] } } },
      ['env', 'list'],
    )
    expect(status).toBe(EXIT_CODES.ok)
    expect(stdout).toMatchInlineSnapshot(`
      "NAME            PHASE     BRANCH     OWN SERVICES     PUSHED     OWNER    URL
      feature-x       ready     feature/x  orders           4 min ago  Ann Lee  http://feature-x.localhost:7480/
      feature-broken  degraded  feature/x  orders (pinned)  4 min ago  Ann Lee  http://feature-x.localhost:7480/
      "
    `)
  })

  it('says what to do when there is none', async () => {
    const { stdout } = await runAgainst({ 'GET /v1/environments': { json: { environments: [] } } }, ['env', 'ls'])
    expect(stdout).toBe('No environments yet: push a branch, and one appears here.\n')
  })

  it('shows one, and what is wrong with it', async () => {
    expect((await runAgainst(ready, ['env', 'show', 'feature-x'])).stdout).toMatchInlineSnapshot(`
      "feature-x  ready
      branch    feature/x
      overlays  integration
      url       http://feature-x.localhost:7480/
      pushed    4 min ago
      owner     Ann Lee <ann@example.org>
      expires   in 13 d
      run       run-7

      SERVICE  STATUS   VERSION          COMMIT    URL
      orders   healthy  v1.0-1-a36d1473  a36d1473  http://feature-x.localhost:7480/orders/
      "
    `)
    const broken = { 'GET /v1/environments/feature-x': { json: brokenX } }
    expect((await runAgainst(broken, ['env', 'show', 'feature-x'])).stdout).toMatchInlineSnapshot(`
      "feature-x  degraded
      branch    feature/x
      overlays  integration
      url       http://feature-x.localhost:7480/
      pushed    4 min ago
      owner     Ann Lee <ann@example.org>
      expires   never (pinned)
      run       run-7

      SERVICE  STATUS  VERSION          COMMIT                URL
      orders   failed  v1.0-1-a36d1473  a36d1473 -> da65fee0  http://feature-x.localhost:7480/orders/

      ! orders: the process ended with status 1: SyntaxError: Unexpected token
      "
    `)
  })

  it('tells each trouble once, and cuts a branch name that would push the table apart', async () => {
    const [condition] = brokenX.conditions
    const conditions = [...brokenX.conditions, { ...condition!, type: 'DefinitionValid' }]
    const environment = { ...brokenX, branch: 'b'.repeat(244), conditions }
    const answers = {
      'GET /v1/environments/feature-x': { json: environment },
      'GET /v1/environments': { json: { environments: [environment] } },
    }
    const { stdout } = await runAgainst(answers, ['env', 'show', 'feature-x'])
    expect(stdout.split('SyntaxError')).toHaveLength(2)
    expect((await runAgainst(answers, ['env', 'list'])).stdout).toContain(`  ${'b'.repeat(39)}…  `)
  })

  it('prints the body of the API with --json', async () => {
    const { stdout } = await runAgainst(ready, ['env', 'show', 'feature-x', '--json'])
    expect(JSON.parse(stdout)).toEqual(featureX)
  })

  it('explains a call', async () => {
    const explanation = {
      environment: 'feature-x',
      service: 'inventory',
      rule: 'inherited',
      owner: 'integration',
      endpoints: [{ name: 'http', protocol: 'http', host: '127.0.0.1', port: 4711 }],
      storeRevision: '42',
      summary: 'feature-x has no inventory of its own and falls back to integration.',
      alternatives: [{ tenant: 'feature-y', endpoints: [], whyNot: 'it is not in the chain' }],
    }
    const answers = { 'GET /v1/environments/feature-x/explain?call=inventory': { json: explanation } }
    const { stdout } = await runAgainst(answers, ['env', 'explain', 'feature-x', '--call', 'inventory'])
    expect(stdout).toMatchInlineSnapshot(`
      "feature-x has no inventory of its own and falls back to integration.
      call      feature-x -> inventory
      rule      inherited
      owner     integration
      address   http://127.0.0.1:4711
      revision  42

      NOT THIS ONE  ADDRESS  BECAUSE
      feature-y     -        it is not in the chain
      "
    `)
  })

  it('explains who makes a call, and whom it would reach without the routing context', async () => {
    const endpoints = [{ name: 'http', protocol: 'http', host: '127.0.0.1', port: 4711 }]
    const explanation = {
      environment: 'feature-x',
      service: 'orders',
      rule: 'own',
      owner: 'feature-x',
      endpoints,
      storeRevision: '42',
      summary: 'feature-x has its own orders.',
      from: {
        service: 'payments',
        rule: 'inherited',
        owner: 'integration',
        endpoints,
        declared: true,
        withoutContext: { owner: 'integration', endpoints: [] },
        summary: 'integration/payments makes the call.',
      },
      alternatives: [],
    }
    const answers = { 'GET /v1/environments/feature-x/explain?call=orders&from=payments': { json: explanation } }
    const { stdout } = await runAgainst(answers, ['explain', 'feature-x', '--call', 'orders', '--from', 'payments'])
    expect(stdout).toMatchInlineSnapshot(`
      "feature-x has its own orders.
      call             feature-x payments -> orders
      rule             own
      owner            feature-x
      address          http://127.0.0.1:4711
      revision         42
      caller           integration/payments at http://127.0.0.1:4711
      declared         yes
      without context  integration at -

      integration/payments makes the call.
      "
    `)
  })

  it('pins and unpins', async () => {
    const answers = { 'PATCH /v1/environments/feature-x': { json: featureX } }
    expect((await runAgainst(answers, ['env', 'pin', 'feature-x'])).requests[0]?.body).toEqual({ pinned: true })
    expect((await runAgainst(answers, ['env', 'unpin', 'feature-x'])).requests[0]?.body).toEqual({ pinned: false })
  })

  it('lists those of an owner, and says so when there are none', async () => {
    const answers = { 'GET /v1/environments?owner=ann': { json: { environments: [] } } }
    const { stdout, requests } = await runAgainst(answers, ['env', 'list', '--owner', 'ann'])
    expect(requests[0]?.target).toBe('/v1/environments?owner=ann')
    expect(stdout).toBe('ann owns no environment.\n')
  })

  it('names an owner, or leaves it to who pushes', async () => {
    const answers = { 'PATCH /v1/environments/feature-x': { json: featureX } }
    const named = await runAgainst(answers, ['env', 'own', 'feature-x', 'Ann Lee <ann@example.org>'])
    expect(named.requests[0]?.body).toEqual({ owner: 'Ann Lee <ann@example.org>' })
    expect(named.stdout).toBe('feature-x belongs to Ann Lee\n')
    const pusher = await runAgainst(answers, ['env', 'own', 'feature-x', '--pusher'])
    expect(pusher.requests[0]?.body).toEqual({ owner: null })
    expect(pusher.stdout).toBe('feature-x belongs to Ann Lee, who pushed last\n')
    expect((await runAgainst(answers, ['env', 'own', 'feature-x'])).stderr).toContain('give an owner or --pusher')
  })

  it('puts to sleep, wakes, starts anew and keeps longer', async () => {
    const accepted = { json: { accepted: true, changed: true }, status: 202 }
    const answers = {
      'POST /v1/environments/feature-x/sleep': accepted,
      'POST /v1/environments/feature-x/wake': accepted,
      'POST /v1/environments/feature-x/redeploy': accepted,
      'PATCH /v1/environments/feature-x': { json: featureX },
    }
    const run = (...args: string[]) => runAgainst(answers, ['env', ...args])
    expect((await run('sleep', 'feature-x')).stdout).toContain('feature-x falls asleep')
    expect((await run('wake', 'feature-x')).stdout).toContain('feature-x wakes')
    expect((await run('redeploy', 'feature-x', 'orders')).requests[0]?.body).toEqual({ service: 'orders' })
    expect((await run('redeploy', 'feature-x')).requests[0]?.body).toEqual({})
    const extended = await run('extend', 'feature-x', '3d')
    expect(extended.requests[0]?.body).toEqual({ keepUntil: '2026-01-05T12:00:00.000Z' })
    expect(extended.stdout).toBe('feature-x expires in 13 d: its time to live ends later than that anyway\n')
    expect((await run('extend', 'feature-x', '2w')).stdout).toBe('feature-x expires in 13 d\n')
    expect((await run('extend', 'feature-x', 'soon')).status).toBe(EXIT_CODES.usage)
  })

  it('says that one sleeps or is awake already, to programs too', async () => {
    const answer = { accepted: true, changed: false }
    const answers = {
      'POST /v1/environments/feature-x/sleep': { json: answer, status: 202 },
      'POST /v1/environments/feature-x/wake': { json: answer, status: 202 },
    }
    const run = (...args: string[]) => runAgainst(answers, ['env', ...args])
    expect((await run('sleep', 'feature-x')).stdout).toMatch(/^feature-x is asleep already; .* wakes it\n$/)
    expect((await run('wake', 'feature-x')).stdout).toMatch(/^feature-x is awake already; /)
    const forPrograms = await run('wake', 'feature-x', '--json')
    expect([JSON.parse(forPrograms.stdout), forPrograms.status]).toEqual([answer, EXIT_CODES.ok])
  })

  it('says what pinning and keeping longer have come to', async () => {
    const run = (environment: Partial<Environment>, ...args: string[]) =>
      runAgainst({ 'PATCH /v1/environments/feature-x': { json: { ...featureX, ...environment } } }, ['env', ...args])
    const pinned = { pinned: true, expiresAt: null }
    expect((await run(pinned, 'pin', 'feature-x')).stdout).toBe('feature-x is pinned: no time to live ends it\n')
    expect((await run(pinned, 'extend', 'feature-x', '1d')).stdout).toBe('feature-x is pinned and never expires\n')
    expect((await run({}, 'unpin', 'feature-x')).stdout).toBe('feature-x is not pinned: it expires in 13 d\n')
    const forEver = { expiresAt: null }
    expect((await run(forEver, 'unpin', 'feature-x')).stdout).toContain('not pinned: it has no time to live')
    expect((await run(forEver, 'extend', 'feature-x', '1d')).stdout).toContain('has no time to live: it never expires')
  })

  it('says how to wake one that is waited for', async () => {
    const asleep = { phase: 'asleep', asleep: { since: '2026-01-02T11:00:00.000Z', reason: 'idle' } }
    const answers = { 'GET /v1/environments/feature-x': { json: { ...featureX, ...asleep } } }
    const { stderr, status } = await runAgainst(answers, ['env', 'wait', 'feature-x', '--timeout', '0s'])
    expect(stderr).toContain('it is asleep; ')
    expect(stderr).toContain('`tributary env wake feature-x`')
    expect(status).toBe(EXIT_CODES.timedOut)
  })

  it('shows since when one is asleep', async () => {
    const asleep = { since: '2026-01-02T11:00:00.000Z', reason: 'idle' as const }
    const answers = { 'GET /v1/environments/feature-x': { json: { ...featureX, phase: 'asleep', asleep } } }
    const { stdout } = await runAgainst(answers, ['env', 'show', 'feature-x'])
    expect(stdout).toContain('feature-x  asleep')
    expect(stdout).toContain('asleep    since 1 h ago (idle)')
  })

  it('prints what --output says, in the place of --json too', async () => {
    const yaml = await runAgainst(ready, ['env', 'show', 'feature-x', '--output', 'yaml'])
    expect(parse(yaml.stdout)).toEqual(featureX)
    expect(JSON.parse((await runAgainst(ready, ['env', 'show', 'feature-x', '-o', 'json'])).stdout)).toEqual(featureX)
    expect((await runAgainst(ready, ['env', 'show', 'feature-x', '-o', 'text'])).stdout).toContain('feature-x  ready')
    expect((await runAgainst(ready, ['env', 'show', 'feature-x', '-o', 'xml'])).status).toBe(EXIT_CODES.usage)
  })

  it('rolls a service back to a named run', async () => {
    const answers = { 'POST /v1/environments/feature-x/services/orders/rollback': { json: {}, status: 202 } }
    const { requests, status } = await runAgainst(answers, ['env', 'rollback', 'feature-x', 'orders', '--run', 'run-6'])
    expect(status).toBe(EXIT_CODES.ok)
    expect(requests[0]?.body).toEqual({ runId: 'run-6' })
  })

  it('says which finalizers it took off, or that there was none', async () => {
    const answer = (released: readonly object[]) => ({
      'POST /v1/environments/feature-x/release-finalizers': { json: { released } },
    })
    const held = [{ object: 'ConfigMap feature-x/held', finalizers: ['example.com/backup'] }]
    const release = ['env', 'release-finalizers', 'feature-x']
    expect((await runAgainst(answer(held), release)).stdout).toBe(
      'ConfigMap feature-x/held: took off example.com/backup\n',
    )
    expect((await runAgainst(answer([]), release)).stdout).toBe('nothing of feature-x is held by a finalizer\n')
  })

  it('prints log lines', async () => {
    const line = { at: '2026-01-02T11:59:59.125Z', source: 'orders', text: 'listening' }
    const answers = {
      'GET /v1/environments/feature-x/logs?service=orders&tailLines=5&follow=false': {
        events: [
          { event: 'log', data: line },
          { event: 'end', data: {} },
        ],
      },
    }
    const { stdout } = await runAgainst(answers, ['env', 'logs', 'feature-x', 'orders', '--tail', '5'])
    expect(stdout).toBe('11:59:59.125 listening\n')
  })

  it('shows the proof that an environment is gone', async () => {
    const receipt = {
      environment: 'feature-x',
      branch: 'feature/x',
      generation: 1,
      runId: 'run-9',
      reason: 'branch_deleted',
      startedAt: '2026-01-02T11:59:00.000Z',
      finishedAt: '2026-01-02T11:59:00.420Z',
      resources: [
        { kind: 'process', id: '4711', goneAt: '2026-01-02T11:59:00.400Z', evidence: 'no process in group 4711' },
      ],
    }
    const answers = { 'GET /v1/environments/feature-x/receipts': { json: { receipts: [receipt] } } }
    const { stdout } = await runAgainst(answers, ['env', 'receipts', 'feature-x'])
    expect(stdout).toMatchInlineSnapshot(`
      "feature-x  generation 1, gone 60 s ago, took 420 ms (branch_deleted, run-9)
      KIND     ID    SEEN GONE BY
      process  4711  no process in group 4711
      "
    `)
  })
})

describe('tributary env wait', () => {
  it('ends at once when the environment is ready', async () => {
    const { status, stdout } = await runAgainst(ready, ['env', 'wait', 'feature-x'])
    expect(status).toBe(EXIT_CODES.ok)
    expect(stdout).toContain('feature-x  ready')
  })

  it('fails with the cause when the deploy failed', async () => {
    const answers = { 'GET /v1/environments/feature-x': { json: brokenX } }
    const { status, stderr } = await runAgainst(answers, ['env', 'wait', 'feature-x'])
    expect(status).toBe(EXIT_CODES.failed)
    expect(stderr).toMatchInlineSnapshot(`
      "error: feature-x is degraded; orders: the process ended with status 1: SyntaxError: Unexpected token; see \`tributary runs logs run-7\`
      "
    `)
  })

  it('runs out of time while a run goes on, and shows how far it is', async () => {
    const answers = {
      'GET /v1/environments/feature-x': { json: { ...featureX, phase: 'deploying', currentRunId: 'run-7' } },
      'GET /v1/runs/run-7': { json: { ...run7, steps: run7.steps.map((step) => ({ ...step, state: 'running' })) } },
    }
    const { status, stderr } = await runAgainst(answers, ['env', 'wait', 'feature-x', '--timeout', '50ms'])
    expect(status).toBe(EXIT_CODES.timedOut)
    expect(stderr).toMatchInlineSnapshot(`
      "feature-x: deploying, prepare
      error: feature-x was not ready in time; it is deploying; \`tributary plan feature-x\` shows what is left to do
      "
    `)
  })

  it('does not take the environment before the push for the one after it', async () => {
    const args = ['env', 'wait', 'feature-x', '--timeout', '20ms']
    expect((await runAgainst(ready, [...args, '--commit', 'a36d1473'])).status).toBe(EXIT_CODES.ok)
    const { status, stderr } = await runAgainst(ready, [...args, '--commit', 'bbbbbbbb'])
    expect(status).toBe(EXIT_CODES.timedOut)
    expect(stderr).toContain('its commit bbbbbbbb has not been seen')
  })
})

describe('errors', () => {
  it.each([
    ['not_found', 404, EXIT_CODES.notFound],
    ['conflict', 409, EXIT_CODES.conflict],
    ['unavailable', 503, EXIT_CODES.unavailable],
    ['permission_denied', 403, EXIT_CODES.denied],
    ['invalid_argument', 400, EXIT_CODES.usage],
  ])('end a command with their own status: %s', async (kind, httpStatus, expected) => {
    const answers = {
      'GET /v1/environments/feature-x': {
        status: httpStatus,
        json: errorBody(kind, 'SOME_CODE', 'no such luck; try later'),
      },
    }
    const { status, stderr, stdout } = await runAgainst(answers, ['env', 'show', 'feature-x'])
    expect(status).toBe(expected)
    expect(stderr).toBe('error: no such luck; try later\n')
    expect(stdout).toBe('')
  })

  it('cannot make the terminal obey what a branch or service says', async () => {
    const text = '\u001B]0;title\u0007\u001B[2Jgone'
    const answers = {
      'GET /v1/environments/feature-x': { status: 404, json: errorBody('not_found', 'SOME_CODE', text) },
    }
    const { stderr } = await runAgainst(answers, ['env', 'show', 'feature-x'])
    expect(stderr).toBe('error: \\u001b]0;title\\u0007\\u001b[2Jgone\n')
  })

  it('say how to go on when no server is known or none answers', async () => {
    const nowhere = await runAgainst({}, ['env', 'list'], { env: {} })
    expect(nowhere.status).toBe(EXIT_CODES.unavailable)
    expect(nowhere.stderr).toMatchInlineSnapshot(`
      "error: do not know where the env-manager is; no flag, environment variable or .tributary folder says so; start \`tributary up\` or set TRIBUTARY_URL and TRIBUTARY_ENV_MANAGER_URL
      "
    `)
    const down = await runAgainst({}, ['env', 'list'], { fetch: () => Promise.reject(new TypeError('fetch failed')) })
    expect(down.status).toBe(EXIT_CODES.unavailable)
    expect(down.stderr).toMatchInlineSnapshot(`
      "error: GET http://em/v1/environments: the server cannot be reached; is it running, and is the address right? Start it with \`tributary up\`, or set TRIBUTARY_URL and TRIBUTARY_ENV_MANAGER_URL
      "
    `)
  })

  it('have no stack but with --debug', async () => {
    expect((await runAgainst({}, ['env', 'show', 'x'])).stderr).not.toContain('    at ')
    expect((await runAgainst({}, ['env', 'show', 'x', '--debug'])).stderr).toContain('    at ')
  })

  it('of use name the option or command that was meant', async () => {
    const { status, stderr } = await runAgainst({}, ['env', 'lsit'])
    expect(status).toBe(EXIT_CODES.usage)
    expect(stderr).toContain("unknown command 'lsit'")
    expect(stderr).toContain('Did you mean list?')
  })
})
