import type { ChangeEvent } from '@tributary/contract'
import { systemClock } from '@tributary/kit'
import { describe, expect, it } from 'vitest'
import { EXIT_CODES } from '../errors.js'
import { inTurn, NOW, runAgainst } from '../testing/fake-servers.test-support.js'
import { brokenX, featureX, run7 } from '../testing/samples.test-support.js'

const changed = (kind: ChangeEvent['kind'], name: string, more: object = {}) => ({
  event: kind,
  data: { kind, name, revision: '1', gone: false, ...more },
})
const reset = { event: 'reset', data: { reason: 'connected' } }
const [prepare, deploy] = run7.steps
/** A stream that is cut off is asked for again after a pause, which has to be a real one. */
const clock = { ...systemClock, now: () => NOW }
const underWay = {
  ...run7,
  state: 'running',
  finishedAt: null,
  steps: [prepare, { ...deploy, state: 'running', finishedAt: null }],
}

describe('tributary watch feature-x', () => {
  it('shows the steps of the run that is under way, and ends with the address', async () => {
    const answers = {
      'GET /v1/events': {
        events: [reset, changed('run', 'run-7', { environment: 'feature-x' }), changed('environment', 'feature-x')],
      },
      'GET /v1/environments/feature-x': inTurn(
        { json: { ...featureX, phase: 'deploying', currentRunId: 'run-7' } },
        { json: { ...featureX, phase: 'deploying', currentRunId: 'run-7' } },
        { json: featureX },
      ),
      'GET /v1/runs/run-7': inTurn({ json: underWay }, { json: underWay }, { json: run7 }),
    }
    const { stdout, stderr, status } = await runAgainst(answers, ['watch', 'feature-x'], { clock })
    expect(status).toBe(EXIT_CODES.ok)
    expect(stdout).toMatchInlineSnapshot(`
      "succeeded    30 ms  prepare
      succeeded    1.2 s  deploy orders
      deploy of feature-x succeeded in 1.3 s
      feature-x is ready: http://feature-x.localhost:7480/
      "
    `)
    expect(stderr).toBe('running: deploy orders\n')
  })

  it('ends with the cause when the run fails', async () => {
    const failed = {
      ...run7,
      state: 'failed',
      error: { code: 'PLATFORM_START_FAILED', message: 'orders ended with status 1' },
    }
    const answers = {
      'GET /v1/events': { events: [reset, changed('environment', 'feature-x')] },
      'GET /v1/environments/feature-x': inTurn(
        { json: { ...brokenX, phase: 'deploying', currentRunId: 'run-7' } },
        { json: brokenX },
      ),
      'GET /v1/runs/run-7': inTurn({ json: underWay }, { json: failed }),
    }
    const { stderr, status } = await runAgainst(answers, ['watch', 'feature-x'], { clock })
    expect(status).toBe(EXIT_CODES.failed)
    expect(stderr.split('\n').at(-2)).toBe(
      'error: deploy of feature-x did not succeed; orders ended with status 1; see `tributary runs logs run-7`',
    )
  })

  it('waits for a push, at most so long', async () => {
    const answers = { 'GET /v1/events': { events: [reset] } }
    const { stderr, status } = await runAgainst(answers, ['watch', 'feature-x', '--timeout', '50ms'], { clock })
    expect(status).toBe(EXIT_CODES.timedOut)
    expect(stderr).toContain('feature-x: waiting for a push')
  })

  it('says that the environment is gone when it was torn down', async () => {
    const teardown = { ...run7, kind: 'teardown' }
    const answers = {
      'GET /v1/events': { events: [reset, changed('environment', 'feature-x', { gone: true })] },
      'GET /v1/environments/feature-x': inTurn(
        { json: { ...featureX, phase: 'terminating', currentRunId: 'run-7' } },
        {
          json: {
            error: { kind: 'not_found', code: 'ENVIRONMENT_NOT_FOUND', message: 'gone', retryable: false, details: {} },
          },
          status: 404,
        },
      ),
      'GET /v1/runs/run-7': { json: teardown },
    }
    const { stdout, status } = await runAgainst(answers, ['watch', 'feature-x'], { clock })
    expect([status, stdout.includes('feature-x is gone')]).toEqual([EXIT_CODES.ok, true])
  })
})

describe('tributary watch', () => {
  it('shows the runs of all environments, each line with its name, until Ctrl-C', async () => {
    const stop = new AbortController()
    const answers = {
      'GET /v1/runs?limit=1000': { json: { runs: [] } },
      'GET /v1/runs?limit=20': { json: { runs: [] } },
      'GET /v1/events': { events: [reset, changed('run', 'run-7', { environment: 'feature-x' })] },
      'GET /v1/runs/run-7': { json: run7 },
    }
    const stopping = { ...clock, sleep: async () => stop.abort() }
    const { stdout } = await runAgainst(answers, ['watch'], { signal: stop.signal, clock: stopping })
    expect(stdout).toBe(
      [
        'feature-x  succeeded    30 ms  prepare',
        'feature-x  succeeded    1.2 s  deploy orders',
        'feature-x  deploy of feature-x succeeded in 1.3 s',
        '',
      ].join('\n'),
    )
  })
})
