import { expect, it } from 'vitest'
import { SharedCall } from './shared-call.js'

function controlledCall() {
  const started: { readonly resolve: (value: number) => void; readonly reject: (error: Error) => void }[] = []
  const shared = new SharedCall(() => new Promise<number>((resolve, reject) => started.push({ resolve, reject })))
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return { started, shared, turn }
}

it('makes one call for all who ask before it starts', async () => {
  const { started, shared, turn } = controlledCall()
  const answers = Promise.all([shared.run(), shared.run(), shared.run()])
  await turn()
  started[0]?.resolve(1)
  expect(await answers).toEqual([1, 1, 1])
  expect(started).toHaveLength(1)
})

it('never gives a caller the result of a call that had started before it asked', async () => {
  const { started, shared, turn } = controlledCall()
  const first = shared.run()
  await turn()
  const later = Promise.all([shared.run(), shared.run()])
  await turn()
  expect(started).toHaveLength(1)
  started[0]?.resolve(1)
  await turn()
  started[1]?.resolve(2)
  expect([await first, ...(await later)]).toEqual([1, 2, 2])
})

it('goes on after a call that fails', async () => {
  const { started, shared, turn } = controlledCall()
  const failing = shared.run()
  await turn()
  const next = shared.run()
  started[0]?.reject(new Error('away'))
  await expect(failing).rejects.toThrow('away')
  await turn()
  started[1]?.resolve(2)
  expect(await next).toBe(2)
})
