import type { AuditRecord } from '@tributary/contract'
import { expect, it } from 'vitest'
import { runAgainst } from '../testing/fake-servers.test-support.js'

const record: AuditRecord = {
  auditId: 'a1',
  at: '2026-01-02T11:56:00.000Z',
  actor: { name: 'Jane Doe', role: 'developer', by: 'oidc' },
  action: 'service.rollback',
  environment: 'feature-x',
  detail: 'orders',
  outcome: 'accepted',
  status: 202,
  address: '127.0.0.1',
}

it('says who asked for what, on what, and from where', async () => {
  const refused = {
    ...record,
    action: 'environment.delete',
    environment: 'integration',
    detail: null,
    outcome: 'refused',
  }
  const answers = { 'GET /v1/audit?limit=50': { json: { records: [record, refused] } } }
  expect((await runAgainst(answers, ['audit'])).stdout).toMatchInlineSnapshot(`
    "WHEN       WHO                   WHAT                ON                OUTCOME   FROM
    4 min ago  Jane Doe (developer)  service.rollback    feature-x orders  accepted  127.0.0.1
    4 min ago  Jane Doe (developer)  environment.delete  integration       refused   127.0.0.1
    "
  `)
})

it('asks for one environment, and pages on', async () => {
  const answers = { 'GET /v1/audit?limit=2&before=a1&environment=feature-x': { json: { records: [] } } }
  const { stdout } = await runAgainst(answers, ['audit', 'feature-x', '--limit', '2', '--before', 'a1'])
  expect(stdout).toBe('Nobody has asked for anything yet.\n')
})
