import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { eventually } from '@tributary/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startConfigCenter, type ConfigCenter } from '../start.js'
import { TestCluster } from '../testing/replica.test-support.js'
import { CuttableStore } from '../testing/cuttable-store.test-support.js'
import { putDocument, usualWorld } from '../testing/random-world.test-support.js'
import { StreamClient } from '../testing/stream-client.test-support.js'

const GUIDE = new URL('../../../../docs/guides/operations.md', import.meta.url)

let cluster: TestCluster
let store: CuttableStore
let center: ConfigCenter
let viewer: string

beforeEach(async () => {
  cluster = await TestCluster.start()
  viewer = (await cluster.createToken({ role: 'viewer' })).token
  await cluster.write(...usualWorld)
  store = new CuttableStore(cluster.store)
  center = await startConfigCenter({ store, streamLimits: { maxUnsentBytes: 4_096, heartbeatMs: 50 } })
})

afterEach(async () => {
  await center.close()
  await cluster.stop()
})

async function scrape(): Promise<string[]> {
  const answer = await fetch(`${center.url}/metrics`, { headers: { authorization: `Bearer ${viewer}` } })
  expect(answer.status).toBe(200)
  return (await answer.text()).split('\n')
}

/** The value of a series; NaN when there is none. */
async function valueOf(series: string): Promise<number> {
  const line = (await scrape()).find((one) => one.startsWith(`${series} `))
  const text = line?.slice(series.length + 1)
  return text === '+Inf' ? Infinity : Number(text)
}

it('documents every metric with its type and its help, and no other', async () => {
  const lines = await scrape()
  const textAfter = (start: string): string => lines.find((line) => line.startsWith(start))?.slice(start.length) ?? ''
  const names = lines.flatMap((line) => /^# HELP (\S+)/.exec(line)?.[1] ?? [])
  const rows = names.map(
    (name) => `| \`${name}\` | ${textAfter(`# TYPE ${name} `)} | ${textAfter(`# HELP ${name} `)} |`,
  )
  const guide = await readFile(GUIDE, 'utf8')
  const table = guide.split('\n').filter((line) => /^\| `config_center_[a-z_]+` +\|/.test(line))
  // The formatter pads the cells.
  const documented = table.map((line) => line.replaceAll(/ +\|/g, ' |').replaceAll(/\| +/g, '| '))
  expect(documented.sort()).toEqual(rows.sort())
})

it('asks for a token, and tells nobody without one', async () => {
  expect((await fetch(`${center.url}/metrics`)).status).toBe(401)
})

it('counts deltas, reports and requests', async () => {
  const client = new StreamClient({ tenant: 'f1', token: viewer })
  await client.connect(center.url)
  await client.until(() => client.view.revision !== undefined)
  const revision = await cluster.write(putDocument('f1', '*', { level: 2 }))
  await client.reaches(revision)
  const path = `/v1/subscriptions/${client.hello?.subscriptionId}/applied`
  await fetch(`${center.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${viewer}`, 'content-type': 'application/json' },
    body: JSON.stringify({ appliedRevision: String(revision) }),
  })
  expect(await valueOf('config_center_stream_ack_lag_seconds_count')).toBe(1)
  expect(await valueOf('config_center_stream_delta_bytes_count')).toBeGreaterThanOrEqual(1)
  const requests = 'config_center_http_requests_total'
  expect(await valueOf(`${requests}{method="POST",route="/v1/subscriptions/:id/applied",status="204"}`)).toBe(1)
  expect(await valueOf('config_center_watch_stale_seconds')).toBe(0)
  expect(await valueOf('config_center_watch_lag_seconds')).toBeLessThan(2)
  client.cut()
})

it('counts slow consumers that were cut', async () => {
  const lazy = connect({ port: Number(new URL(center.url).port), host: '127.0.0.1' })
  lazy.on('error', () => undefined)
  lazy.write(`GET /v1/tenants/f1/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${viewer}\r\n\r\n`)
  lazy.pause()
  let level = 0
  await eventually(async () => {
    level += 1
    await cluster.write(putDocument('f1', '*', { level, text: 'x'.repeat(500_000) }))
    expect(await valueOf('config_center_stream_ended_total{reason="slow_consumer"}')).toBe(1)
  })
  lazy.destroy()
})

it('says that it has lost the store, and that it watches again', async () => {
  store.cut()
  await eventually(async () => {
    expect(await valueOf('config_center_watch_stale_seconds')).toBeGreaterThan(0)
    expect(await valueOf('config_center_watch_lag_seconds')).toBe(Infinity)
  })
  const errors = 'config_center_store_errors_total{operation="watch",code="STORE_UNAVAILABLE"}'
  expect(await valueOf(errors)).toBeGreaterThanOrEqual(1)
  expect(await valueOf('config_center_watch_resyncs_total{cause="failed"}')).toBeGreaterThanOrEqual(1)
})
