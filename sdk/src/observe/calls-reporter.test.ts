import type { CallsReport } from '@tributary/contract'
import { describe, expect, it } from 'vitest'
import type { JsonAnswer } from '../http/transport.js'
import { CallCounter } from './call-counter.js'
import { CallsReporter, type Refusals } from './calls-reporter.js'

const answer = (status: number): JsonAnswer => ({ status, body: undefined, retryAfterMs: undefined })

function setUp(answers: (JsonAnswer | 'no subscription' | Error)[], refusals: () => Refusals = () => ({})) {
  const counter = new CallCounter()
  const sent: CallsReport[] = []
  const givenUp: string[] = []
  const reporter = new CallsReporter({
    counter,
    refusals,
    intervalMs: 60_000,
    onGivenUp: (message) => givenUp.push(message),
    send: async (report) => {
      sent.push(report)
      const next = answers.shift() ?? answer(204)
      if (next instanceof Error) throw next
      return next === 'no subscription' ? undefined : next
    },
  })
  const count = (to: string) => counter.countCall({ tenant: null, to, failed: false, durationMs: 1 })
  return { counter, sent, reporter, count, givenUp }
}

describe('CallsReporter', () => {
  it('sends what was counted since the last report, numbered, and nothing when there is nothing', async () => {
    const { sent, reporter, count } = setUp([])
    await reporter.flush()
    count('orders')
    await reporter.flush()
    await reporter.flush()
    count('web')
    await reporter.flush()
    expect(sent.map(({ sequence, calls }) => [sequence, calls.map(({ to }) => to)])).toEqual([
      [1, ['orders']],
      [2, ['web']],
    ])
    await reporter.close()
  })

  it('sends a report again as it was until it gets through, and then what was counted meanwhile', async () => {
    const { sent, reporter, count } = setUp([
      new Error('cut'),
      'no subscription',
      answer(503),
      answer(404),
      answer(204),
    ])
    count('orders')
    await reporter.flush()
    count('web')
    for (let round = 0; round < 4; round += 1) await reporter.flush()
    expect(new Set(sent.slice(0, 5).map((report) => JSON.stringify(report))).size).toBe(1)
    await reporter.flush()
    expect(sent[5]).toMatchObject({ sequence: 2, calls: [{ to: 'web' }] })
    await reporter.close()
  })

  it('gives a report up that is refused, and says so', async () => {
    const { sent, reporter, count, givenUp } = setUp([answer(400)])
    count('orders')
    await reporter.flush()
    count('web')
    await reporter.flush()
    expect(sent[1]).toMatchObject({ sequence: 2, calls: [{ to: 'web' }] })
    expect(givenUp).toHaveLength(1)
    await reporter.close()
  })

  it('reports refused contexts as differences', async () => {
    let refused = 3
    const { sent, reporter, count } = setUp([], () => ({ tenant_unknown: refused }))
    await reporter.flush()
    refused = 5
    await reporter.flush()
    count('orders')
    await reporter.flush()
    expect(sent.map(({ refusedContexts }) => refusedContexts)).toEqual([
      { tenant_unknown: 3 },
      { tenant_unknown: 2 },
      {},
    ])
    await reporter.close()
  })

  it('is known by a name that no other start of the process has', async () => {
    const names = await Promise.all(
      [setUp([]), setUp([])].map(async ({ sent, reporter, count }) => {
        count('orders')
        await reporter.close()
        return sent[0]?.reporter
      }),
    )
    expect(names[0]).toMatch(/^[0-9a-f]{32}$/)
    expect(names[0]).not.toBe(names[1])
  })
})
