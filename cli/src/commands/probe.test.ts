import type { ProbeReport } from '@tributary/contract'
import { expect, it } from 'vitest'
import { runAgainst } from '../testing/fake-servers.test-support.js'
import { topologyX } from '../testing/samples.test-support.js'

const edge = { expectedOwner: 'feature-x', answeredBy: 'feature-x' }
const report: ProbeReport = {
  environment: 'feature-x',
  holds: true,
  edges: [
    { ...edge, from: null, to: 'web', result: 'carried', detail: 'integration/web answered for feature-x' },
    { ...edge, from: 'web', to: 'orders', result: 'carried', detail: 'feature-x/orders answered for feature-x' },
  ],
  leaks: [],
}

it('prints each edge, and succeeds when all of them carry the environment', async () => {
  const answers = { 'POST /v1/environments/feature-x/probe?leakSeconds=600': { json: report } }
  const { status, stdout } = await runAgainst(answers, ['probe', 'feature-x'])
  expect(status).toBe(0)
  expect(stdout).toMatchInlineSnapshot(`
    "EDGE           RESULT   BECAUSE
    (in) -> web    carried  integration/web answered for feature-x
    web -> orders  carried  feature-x/orders answered for feature-x

    every call carries feature-x
    "
  `)
})

it('names the edge that loses the environment, and fails with status 1', async () => {
  const lost: ProbeReport = {
    ...report,
    holds: false,
    edges: [
      ...report.edges,
      { ...edge, from: 'orders', to: 'payments', result: 'lost', detail: '1 real call lost it' },
    ],
    leaks: topologyX.leaks,
  }
  const answers = { 'POST /v1/environments/feature-x/probe?leakSeconds=30': { json: lost } }
  const { status, stdout } = await runAgainst(answers, ['probe', 'feature-x', '--leaks', '30s'])
  expect(status).toBe(1)
  expect(stdout).toMatchInlineSnapshot(`
    "EDGE                RESULT   BECAUSE
    (in) -> web         carried  integration/web answered for feature-x
    web -> orders       carried  feature-x/orders answered for feature-x
    orders -> payments  lost     1 real call lost it

    LEAKS
    EDGE                KIND     CALLS  ROUTE          LOST IN             TRACE                             LAST SEEN
    orders -> payments  dropped  1      POST /pay/:id  integration/orders  0af7651916cd43dd8448eb211c80319c  1 min ago

    feature-x is lost at orders -> payments
    "
  `)
})

it('prints the body of the API with --json, with the same exit status', async () => {
  const answers = { 'POST /v1/environments/feature-x/probe?leakSeconds=0': { json: { ...report, holds: false } } }
  const { status, stdout } = await runAgainst(answers, ['probe', 'feature-x', '--leaks', '0', '--json'])
  expect([status, JSON.parse(stdout)]).toEqual([1, { ...report, holds: false }])
})
