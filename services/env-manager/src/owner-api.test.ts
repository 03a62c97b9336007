import type { Environment, ManagerStatus } from '@tributary/contract'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { TestApp } from './test-app.test-support.js'

let server: TestApp

beforeEach(async () => {
  server = await TestApp.open()
})

afterEach(async () => {
  await server.close()
})

const named = async (owner: string): Promise<readonly string[]> => {
  const url = `/v1/environments?owner=${encodeURIComponent(owner)}`
  const { json } = await server.call('GET', url, { token: 'view' })
  return (json as { environments: Environment[] }).environments.map(({ name }) => name)
}

it('lists the environments of who pushed last, by name, address or what stands before the @', async () => {
  for (const wanted of ['Ann Lee', 'ANN@example.org', 'ann']) expect(await named(wanted)).toEqual(['feature-x'])
  expect(await named('bob')).toEqual([])
})

it('lets who may change an environment name its owner, and leave it to who pushes again', async () => {
  const patch = (owner: unknown, token = 'dep') =>
    server.call('PATCH', '/v1/environments/feature-x', { token, body: { owner } })
  expect((await patch('Team Orders <orders@example.org>')).json).toMatchObject({
    owner: { name: 'Team Orders', email: 'orders@example.org' },
  })
  expect(await named('orders')).toEqual(['feature-x'])
  expect(await named('ann')).toEqual([])
  expect((await patch(null)).json).toMatchObject({ owner: { name: 'Ann Lee' } })
  for (const wrong of [' ', '', 7]) expect((await patch(wrong)).code).toBe('ARGUMENT_INVALID')
  expect((await patch('me', 'view')).status).toBe(403)
})

it('tells of the one process that there is, where nobody stands by', async () => {
  const { json } = await server.call('GET', '/v1/status', { token: 'view' })
  expect((json as ManagerStatus).replicas).toEqual([
    { replicaId: 'tributary', role: 'leader', url: null, startedAt: null },
  ])
})
