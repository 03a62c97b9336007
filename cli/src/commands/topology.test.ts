import type { TopologyDifference } from '@tributary/contract'
import { expect, it } from 'vitest'
import { runAgainst } from '../testing/fake-servers.test-support.js'
import { topologyX } from '../testing/samples.test-support.js'

const answers = { 'GET /v1/environments/feature-x/topology': { json: topologyX } }

it('shows services as a table and calls as a tree that no ring makes endless', async () => {
  const { stdout } = await runAgainst(answers, ['topology', 'feature-x'])
  expect(stdout).toMatchInlineSnapshot(`
    "feature-x over integration  revision 42

    SERVICE    STATE      FROM         VERSION          HEALTH     URL
    web        inherited  integration  v1.0-0-da65fee0  healthy    http://feature-x.localhost:7480/web/
    orders     own        feature-x    v1.0-1-a36d1473  healthy    http://feature-x.localhost:7480/orders/
    inventory  inherited  integration  v1.0-0-da65fee0  unhealthy  http://feature-x.localhost:7480/inventory/
    payments   inherited  integration  v1.0-0-da65fee0  healthy    http://feature-x.localhost:7480/payments/
    ! inventory: GET /readyz answers 503

    CALLS
    web
    └─ orders  12 calls, half within 5 ms, 95 % within 20 ms
       ├─ inventory
       └─ payments  not declared, 1 call, 1 failed, 1 leaked out of the environment
          └─ orders (see above)

    LEAKS
    EDGE                KIND     CALLS  ROUTE          LOST IN             TRACE                             LAST SEEN
    orders -> payments  dropped  1      POST /pay/:id  integration/orders  0af7651916cd43dd8448eb211c80319c  1 min ago
    "
  `)
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
