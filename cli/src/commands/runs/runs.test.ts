import { describe, expect, it } from 'vitest'
import { EXIT_CODES } from '../../errors.js'
import { runAgainst } from '../../testing/fake-servers.test-support.js'
import { run7 } from '../../testing/samples.test-support.js'

const line = { at: '2026-01-02T11:56:00.500Z', source: 'deploy orders', text: 'node server.mjs' }
const failed = {
  ...run7,
  state: 'failed',
  steps: run7.steps.map((step) => (step.name === 'deploy' ? { ...step, state: 'failed', message: 'status 1' } : step)),
  error: { code: 'PLATFORM_START_FAILED', message: 'orders ended with status 1' },
}

describe('tributary runs', () => {
  it('lists runs, of one environment too', async () => {
    const answers = { 'GET /v1/runs?limit=20': { json: { runs: [run7, { ...failed, runId: 'run-6' }] } } }
    expect((await runAgainst(answers, ['runs'])).stdout).toMatchInlineSnapshot(`
      "RUN    ENVIRONMENT  KIND    STATE      TRIGGER  STARTED    TOOK
      run-7  feature-x    deploy  succeeded  push     4 min ago  1.3 s
      run-6  feature-x    deploy  failed     push     4 min ago  1.3 s
      "
    `)
    const one = { 'GET /v1/runs?limit=3&environment=feature-x': { json: { runs: [] } } }
    expect((await runAgainst(one, ['runs', 'list', 'feature-x', '--limit', '3'])).stdout).toBe('No runs yet.\n')
  })

  it('shows one run, also by the name of its environment', async () => {
    const answers = {
      'GET /v1/runs?environment=feature-x&limit=1': { json: { runs: [run7] } },
      'GET /v1/runs/run-7': { json: failed },
    }
    expect((await runAgainst(answers, ['runs', 'show', 'feature-x'])).stdout).toMatchInlineSnapshot(`
      "run-7  failed
      environment  feature-x (generation 1)
      what         deploy because of push
      commits      shop@a36d1473
      started      4 min ago
      took         1.3 s

      STEP     SERVICE  STATE      TOOK   MESSAGE
      prepare           succeeded  30 ms
      deploy   orders   failed     1.2 s  status 1

      ! orders ended with status 1
      "
    `)
  })

  it('says that there is neither such a run nor such an environment', async () => {
    const answers = { 'GET /v1/runs?environment=nothing&limit=1': { json: { runs: [] } } }
    const { status, stderr } = await runAgainst(answers, ['runs', 'logs', 'nothing'])
    expect(status).toBe(EXIT_CODES.notFound)
    expect(stderr).toContain('nothing is neither a run nor an environment')
  })

  it('prints the log of a run', async () => {
    const answers = {
      'GET /v1/runs/run-7': { json: run7 },
      'GET /v1/runs/run-7/logs?follow=false': {
        events: [
          { event: 'log', data: line },
          { event: 'end', data: {} },
        ],
      },
    }
    expect((await runAgainst(answers, ['runs', 'logs', 'run-7'])).stdout).toBe(
      '11:56:00.500 deploy orders node server.mjs\n',
    )
  })
})

describe('tributary runs rerun', () => {
  it('tries the newest run of an environment again', async () => {
    const answers = {
      'GET /v1/runs?environment=feature-x&limit=1': { json: { runs: [failed] } },
      'GET /v1/runs/run-7': { json: failed },
      'POST /v1/runs/run-7/rerun': { json: { accepted: true }, status: 202 },
    }
    const { stdout, status } = await runAgainst(answers, ['runs', 'rerun', 'feature-x'])
    expect([status, stdout]).toEqual([
      EXIT_CODES.ok,
      'feature-x is tried again; follow with `tributary watch feature-x`\n',
    ])
  })
})

describe('tributary runs watch', () => {
  const [prepare, deploy] = run7.steps
  const under = {
    ...run7,
    state: 'running',
    finishedAt: null,
    steps: [prepare, { ...deploy, state: 'running', finishedAt: null }],
  }

  it('shows each step once and ends well when the run did', async () => {
    const answers = {
      'GET /v1/runs/run-7': { json: run7 },
      'GET /v1/runs/run-7/logs?follow=true': {
        events: [
          { event: 'run', data: under },
          { event: 'log', data: line },
          { event: 'run', data: run7 },
          { event: 'end', data: {} },
        ],
      },
    }
    const { stdout, stderr, status } = await runAgainst(answers, ['runs', 'watch', 'run-7'])
    expect(status).toBe(EXIT_CODES.ok)
    expect(stdout).toMatchInlineSnapshot(`
      "succeeded    30 ms  prepare
      succeeded    1.2 s  deploy orders
      deploy of feature-x succeeded in 1.3 s
      "
    `)
    expect(stderr).toBe('running: deploy orders\n')
    expect((await runAgainst(answers, ['runs', 'watch', 'run-7', '--logs'])).stdout).toContain('node server.mjs')
  })

  it('fails with the cause when the run did', async () => {
    const answers = {
      'GET /v1/runs/run-7': { json: failed },
      'GET /v1/runs/run-7/logs?follow=true': { events: [{ event: 'end', data: {} }] },
    }
    const { stderr, status } = await runAgainst(answers, ['runs', 'watch', 'run-7'])
    expect(status).toBe(EXIT_CODES.failed)
    expect(stderr).toMatchInlineSnapshot(`
      "error: deploy of feature-x did not succeed; orders ended with status 1; see \`tributary runs logs run-7\`
      "
    `)
  })
})
