import type { RequestReport } from '@tributary/contract'
import { eventually, ManualClock } from '@tributary/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RequestReporter } from './request-reporter.js'

let clock: ManualClock
let sent: RequestReport[]
let asleep: string[]
let isAway: boolean
let errors: number
let reporter: RequestReporter
let end: () => Promise<void>

beforeEach(async () => {
  clock = new ManualClock()
  sent = []
  asleep = []
  isAway = false
  errors = 0
  reporter = new RequestReporter({
    gateway: 'one',
    clock,
    onError: () => (errors += 1),
    send: async (report) => {
      if (isAway) throw new Error('nobody answers')
      sent.push(report)
      return { asleep: [...asleep] }
    },
  })
  const stopping = new AbortController()
  const running = reporter.run(stopping.signal)
  end = () => {
    stopping.abort()
    return running
  }
  await rests()
})

afterEach(() => end())

/** Until it waits for the clock. */
const rests = (): Promise<void> => eventually(() => expect(clock.sleeping).toBe(1))
async function pass(ms: number): Promise<void> {
  clock.advance(ms)
  await rests()
}
/** Two sleeps lie between reports. */
async function nextReport(): Promise<void> {
  await pass(250)
  await pass(1_750)
}

describe('RequestReporter', () => {
  it('tells each environment once, however many requests there were', async () => {
    for (let request = 0; request < 1_000; request += 1) reporter.noteUsed(`feature-${request % 2}`)
    await nextReport()
    expect(sent.map(({ used }) => used)).toEqual([[], ['feature-0', 'feature-1']])
    await nextReport()
    expect(sent.at(-1)?.used).toEqual([])
  })

  it('knows from the answer which are asleep, and says that it does', async () => {
    asleep = ['feature-x']
    expect(reporter.isAsleep('feature-x')).toBe(false)
    await nextReport()
    expect([reporter.isAsleep('feature-x'), reporter.isAsleep('feature-y')]).toEqual([true, false])
    await nextReport()
    expect(sent.at(-1)?.asleep).toEqual(['feature-x'])
  })

  it('hurries when somebody waits', async () => {
    await pass(250)
    reporter.noteWanted('feature-x')
    await eventually(() => expect(sent.at(-1)?.wanted).toEqual(['feature-x']))
  })

  it('tells later what it could not tell, complains once, and keeps to what it was told', async () => {
    asleep = ['feature-x']
    await nextReport()
    isAway = true
    reporter.noteUsed('feature-y')
    reporter.noteWanted('feature-x')
    await nextReport()
    await nextReport()
    expect([errors, reporter.isAsleep('feature-x')]).toEqual([1, true])
    isAway = false
    await nextReport()
    expect(sent.at(-1)).toMatchObject({ used: ['feature-y'], wanted: ['feature-x'] })
  })

  it('tells in one report no more than a report takes, and the rest in the next', async () => {
    for (let index = 0; index < 1_000; index += 1) reporter.noteUsed(`feature-${index}`)
    await nextReport()
    await nextReport()
    await nextReport()
    expect(sent.slice(1).map(({ used }) => used.length)).toEqual([400, 400, 200])
  })

  it('tells what is left when it ends', async () => {
    reporter.noteUsed('feature-x')
    await end()
    expect(sent.at(-1)?.used).toEqual(['feature-x'])
  })
})
