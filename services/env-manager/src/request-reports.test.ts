import { ManualClock } from '@tributary/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openReportDoor } from './http/report-door.js'
import { ActivityBook } from './operations/activity-book.js'
import { sleepAfterMsOf } from './operations/dependencies.js'
import { GatewayReports } from './operations/gateway-reports.js'
import { requestSleep } from './operations/request-sleep.js'
import { eventually } from './reconcile/test-bench.test-support.js'
import { TestApp } from './test-app.test-support.js'
import { followRequests } from './watch/follow-requests.js'

const PATH = '/v1/request-reports'
let test: TestApp
let clock: ManualClock
let reports: GatewayReports
let activity: ActivityBook
let stop: () => void

beforeEach(async () => {
  test = await TestApp.open({ sleepAfterHours: 4 })
  const { bench } = test
  clock = new ManualClock()
  reports = new GatewayReports({ store: bench.store, clock })
  activity = new ActivityBook(bench.store)
  await bench.manager.stop()
  const dependencies = bench.dependencies()
  await bench.start({ ...dependencies, activity, routes: reports.over(dependencies.routes) })
  stop = followRequests({ deps: bench.running, mark: (environment) => bench.manager.mark(environment) })
  test.app = await test.build({ reports })
})

afterEach(async () => {
  stop()
  await test.close()
})

interface Told {
  readonly gateway?: string
  readonly used?: readonly string[]
  readonly wanted?: readonly string[]
  readonly asleep?: readonly string[]
}
const report = (told: Told = {}, token = 'view') =>
  test.call('POST', PATH, { token, body: { gateway: 'one', used: [], wanted: [], asleep: [], ...told } })
const phaseIs = (wanted: string): Promise<unknown> =>
  eventually(
    () => test.bench.phase('feature-x'),
    (phase) => phase === wanted,
  )

/** Until its services have stopped. */
function sleep(): Promise<unknown> {
  const asked = requestSleep(test.bench.running, 'feature-x')
  return asked.then(() => {
    test.bench.manager.mark('feature-x')
    return eventually(
      () => test.bench.runs('feature-x'),
      ([run]) => run?.kind === 'sleep' && run.state === 'succeeded',
    )
  })
}

describe('reports of a gateway', () => {
  it('keep environments awake that are used, and no others', async () => {
    expect(activity.lastRequestAt('feature-x')).toBeUndefined()
    expect(await report({ used: ['feature-x', 'feature-gone'] })).toMatchObject({ status: 200, json: { asleep: [] } })
    expect(activity.lastRequestAt('feature-x')).toBeGreaterThan(0)
    expect([activity.lastRequestAt('feature-gone'), activity.lastRequestAt('integration')]).toEqual([
      undefined,
      undefined,
    ])
  })

  it('wake an environment that somebody asks for', async () => {
    await sleep()
    expect((await report()).json).toEqual({ asleep: ['feature-x'] })
    await report({ wanted: ['feature-x'], asleep: ['feature-x'] })
    await phaseIs('ready')
    await eventually(
      async () => (await report()).json,
      (told) => JSON.stringify(told) === '{"asleep":[]}',
    )
    expect(test.bench.center.seenBy('feature-x')['orders']).toContain('feature-x@')
  })

  it('let environments fall asleep by themselves only while there are any: nobody else counts requests', async () => {
    const hours = (): number | null => sleepAfterMsOf(test.bench.running)
    expect(hours()).toBeNull()
    await report()
    expect(hours()).toBe(4 * 3_600_000)
    clock.advance(61_000)
    expect(hours()).toBeNull()
  })

  it('may come from whoever may read, but not from a service', async () => {
    expect((await report({}, 'ten')).status).toBe(403)
    expect((await test.call('POST', PATH, { body: {} })).status).toBe(401)
  })
})

describe('an environment that falls asleep', () => {
  const suspended = async (): Promise<{ isOver: () => boolean; done: Promise<void> }> => {
    let isOver = false
    const done = (test.bench.running.routes.suspend?.('feature-x') ?? Promise.resolve()).then(
      () => void (isOver = true),
    )
    await new Promise((resolve) => setImmediate(resolve))
    return { isOver: () => isOver, done }
  }

  it('waits until every gateway passes nothing on to it', async () => {
    await report({ gateway: 'one' })
    await report({ gateway: 'two' })
    const { isOver, done } = await suspended()
    expect((await report({ gateway: 'one' })).json).toEqual({ asleep: ['feature-x'] })
    await report({ gateway: 'one', asleep: ['feature-x'] })
    expect(isOver()).toBe(false)
    await report({ gateway: 'two', asleep: ['feature-x'] })
    await done
  })

  it('waits for no gateway that is gone, and for none longer than a few seconds', async () => {
    await report({ gateway: 'gone' })
    clock.advance(11_000)
    await (
      await suspended()
    ).done
    await report({ gateway: 'stuck' })
    const { isOver, done } = await suspended()
    expect(isOver()).toBe(false)
    clock.advance(8_000)
    await done
  })
})

describe('the door for reports', () => {
  it('leads to them and to nothing else', async () => {
    const door = await openReportDoor(test.app, { host: '127.0.0.1', port: 0 })
    const ask = async (path: string, method = 'POST'): Promise<number> => {
      const headers = { authorization: 'Bearer adm', 'content-type': 'application/json' }
      const report = { body: JSON.stringify({ gateway: 'one', used: [], wanted: [], asleep: [] }) }
      const init = { method, headers, ...(method === 'GET' ? {} : report) }
      return (await fetch(`http://127.0.0.1:${door.port}${path}`, init)).status
    }
    expect(await ask(PATH)).toBe(200)
    const others = ['/v1/environments', '/v1/status', '/healthz', `${PATH}/../environments`, '/v1/session']
    for (const path of others) expect([await ask(path, 'GET'), await ask(path)]).toEqual([404, 404])
    await door.close()
  })
})
