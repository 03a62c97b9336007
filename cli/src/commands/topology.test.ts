import type { TopologyDifference } from '@tributary/contract'
import { expect, it } from 'vitest'
import { runAgainst } from '../testing/fake-servers.test-support.js'
import { topologyX } from '../testing/samples.test-support.js'

const answers = { 'GET /v1/environments/feature-x/topology': { json: topologyX } }

it('draws who calls whom as a tree that no ring makes endless, with a sign for each state', async () => {
  const { stdout } = await runAgainst(answers, ['topology', 'feature-x'])
  expect(stdout).toMatchInlineSnapshot(`
    "feature-x over integration  revision 42

    ○ web  of integration  v1.0-0-da65fee0
    └─ ● orders  v1.0-1-a36d1473  12 calls  p50 5 ms, p95 20 ms
       ├─ ○ inventory  unhealthy  of integration  v1.0-0-da65fee0
       └─ ○ payments  of integration  v1.0-0-da65fee0  1 leaked out of the environment  1 failed  not declared  1 call
          └─ ● orders  (see above)

    ● feature-x’s own   ○ falls back
    ! inventory: GET /readyz answers 503

    LEAKS
    EDGE                KIND     CALLS  ROUTE          LOST IN             TRACE                             LAST SEEN
    orders -> payments  dropped  1      POST /pay/:id  integration/orders  0af7651916cd43dd8448eb211c80319c  1 min ago
    "
  `)
})

it('tells masked and missing services apart, and shows those that nobody calls', async () => {
  const [web, orders, inventory] = topologyX.nodes
  const nodes = [
    { ...web!, service: 'alone' },
    { ...orders!, state: 'masked' as const, owner: 'feature-x' },
    { ...inventory!, state: 'missing' as const, owner: null, version: null, healthMessage: null },
  ]
  const edges = [{ from: 'alone', to: 'inventory', declared: true, observed: null }]
  const odd = { 'GET /v1/environments/feature-x/topology': { json: { ...topologyX, nodes, edges, leaks: [] } } }
  expect((await runAgainst(odd, ['topology', 'feature-x'])).stdout).toMatchInlineSnapshot(`
    "feature-x over integration  revision 42

    ○ alone  of integration  v1.0-0-da65fee0
    └─ ✗ inventory  nobody has it
    ⊘ orders  masked by feature-x

    ○ falls back   ⊘ hidden   ✗ nobody has it
    "
  `)
})

it('gives up what matters least on a narrow terminal, and has colours there', async () => {
  let text = ''
  const stdout = { isTTY: true, columns: 60, write: (more: string) => void (text += more) }
  await runAgainst(answers, ['topology', 'feature-x'], { stdout })
  // oxlint-disable-next-line no-control-regex -- colours are control characters
  const plain = text.replaceAll(/\u001B\[\d+m/g, '')
  expect(text).not.toBe(plain)
  const tree = plain.split('\n\n')[1]?.split('\n') ?? []
  expect(tree.length).toBe(5)
  expect(Math.max(...tree.map((line) => line.length))).toBeLessThanOrEqual(60)
  expect(tree[3]).toBe('   └─ ○ payments  1 leaked out of the environment  1 failed')
})

it('has a table with addresses too', async () => {
  const { stdout } = await runAgainst(answers, ['topology', 'feature-x', '--table'])
  expect(stdout).toContain(
    'orders     own        feature-x    v1.0-1-a36d1473  healthy    http://feature-x.localhost:7480/orders/',
  )
})

it('prints the body of the API with --json', async () => {
  const { stdout } = await runAgainst(answers, ['topology', 'feature-x', '--json'])
  expect(JSON.parse(stdout)).toEqual(topologyX)
})

it('shows what differs from another environment', async () => {
  const [web, orders] = topologyX.nodes
  const difference: TopologyDifference = {
    left: 'feature-x',
    right: 'integration',
    services: [{ service: 'orders', left: orders ?? null, right: web ?? null }],
  }
  const target = 'GET /v1/environments/feature-x/topology/diff?against=integration'
  const { stdout } = await runAgainst({ [target]: { json: difference } }, [
    'topology',
    'feature-x',
    '--against',
    'integration',
  ])
  expect(stdout).toMatchInlineSnapshot(`
    "SERVICE  FEATURE-X                                   INTEGRATION
    orders   own from feature-x v1.0-1-a36d1473 healthy  inherited from integration v1.0-0-da65fee0 healthy
    "
  `)
})
