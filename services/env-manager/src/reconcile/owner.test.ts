import { afterEach, beforeEach, expect, it } from 'vitest'
import { patchEnvironment } from '../operations/change-environment.js'
import { updateEnvironment } from '../operations/state/environments.js'
import { definition, TestBench } from './test-bench.test-support.js'

let bench: TestBench

beforeEach(async () => {
  bench = await TestBench.open()
  bench.git.commit('shop', 'main', { 'orders/service.yaml': definition('orders'), 'orders/server.js': '1' })
})

afterEach(async () => {
  await bench.close()
})

const owner = async (name: string) => (await bench.environment(name))?.owner
const name = (patch: { owner: string | null }) => patchEnvironment(bench.running, 'feature-x', patch)

it('belongs to who pushed last, unless a person names somebody; integration belongs to nobody', async () => {
  bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
  await bench.start()
  await bench.settle()
  expect(await owner('feature-x')).toEqual({ name: 'Ann Lee', email: 'ann@example.org' })
  expect(await owner('integration')).toBeNull()

  await name({ owner: 'Team Orders' })
  bench.git.author = { name: 'Bob', email: 'bob@example.org' }
  bench.git.commit('shop', 'feature/x', { 'orders/server.js': '3' })
  await bench.settle()
  expect(await owner('feature-x')).toEqual({ name: 'Team Orders', email: null })

  await name({ owner: null })
  expect(await owner('feature-x')).toEqual({ name: 'Bob', email: 'bob@example.org' })
  await expect(name({ owner: ' ' })).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
})

it('learns the owner of an environment that an older version has kept', async () => {
  bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
  await bench.start()
  await bench.settle()
  await updateEnvironment(bench.store, 'feature-x', ({ author: _author, ...older }) => older)
  expect(await owner('feature-x')).toBeNull()
  bench.manager.mark('feature-x')
  await bench.manager.idle()
  expect(await owner('feature-x')).toEqual({ name: 'Ann Lee', email: 'ann@example.org' })
})
