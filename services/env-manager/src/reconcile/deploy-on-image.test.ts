import { describe, expect, it } from 'vitest'
import { isAppError } from '@tributary/kit'
import { takeImage } from '../operations/take-image.js'
import { requestSleep, requestWake } from '../operations/request-sleep.js'
import { rollBackService } from '../operations/rollback-service.js'
import { findImage, keepImage } from '../operations/state/images.js'
import { short, useShop } from './shop-bench.test-support.js'
import { definition, type TestBench } from './test-bench.test-support.js'

let bench: TestBench
const { ready, gone, holdDeploy } = useShop((opened) => (bench = opened))

const ON_IMAGE = { 'orders/service.yaml': definition('orders', 'deploy: { on: image }\n') }

/** Names an image as the route does. */
async function name(commitSha: string, image: string, environment = 'feature-x'): Promise<string> {
  const taken = await takeImage(bench.running, { environment, service: 'orders', commitSha, image })
  if (taken.isOutdatingRuns) bench.manager.supersede(environment, 'another image')
  bench.manager.mark(environment)
  return taken.outcome
}

const imagesOf = (environment: string): readonly (string | undefined)[] =>
  [...bench.world.workloads.values()]
    .filter((one) => one.environment === environment && one.service === 'orders')
    .map(({ workloadId }) => bench.world.started.get(workloadId)?.definition.run?.image)

const waiting = () =>
  bench.atRest(
    () => bench.environment('feature-x'),
    (now) => now?.conditions.some(({ reason }) => reason === 'WaitingForImage') === true,
  )

/** Pushes a branch whose service waits for its image. Answers the commit. */
async function awaiting(): Promise<string> {
  const head = bench.git.commit('shop', 'feature/x', ON_IMAGE, 'main')
  await bench.start()
  await bench.settle()
  await waiting()
  return head
}

/** {@link awaiting}, and names the image. */
async function running(image: string): Promise<string> {
  const head = await awaiting()
  await name(head, image)
  await ready('feature-x')
  return head
}

const seen = (environment: string) => bench.center.seenBy(environment)['orders']

describe('services that are deployed when their image is there', () => {
  it('has callers answered by the base until the image is named, and says how to name it', async () => {
    const head = bench.git.commit('shop', 'feature/x', ON_IMAGE, 'main')
    await bench.start()
    await bench.settle()
    const environment = await waiting()
    expect(environment).toMatchObject({ phase: 'pending', services: [{ name: 'orders', status: 'pending' }] })
    const { message } = environment!.conditions.find(({ type }) => type === 'ServiceHealthy')!
    expect(message).toContain(`tributary deploy feature-x orders --commit ${head} --image`)
    expect(seen('feature-x')).toBe(`integration@${short(bench.git.headOf('shop', 'main'))}`)
    expect(await name(head, 'orders:1')).toBe('deploys')
    await ready('feature-x')
    expect([seen('feature-x'), imagesOf('feature-x')]).toEqual([`feature-x@${short(head)}`, ['orders:1']])
    expect((await bench.runs('feature-x'))[0]?.trigger).toBe('image')
  })

  it('goes on serving the image of before while that of a push is built', async () => {
    const first = await running('orders:1')
    const second = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' })
    await bench.settle()
    const { conditions } = (await waiting())!
    expect(conditions.find(({ reason }) => reason === 'WaitingForImage')?.message).toContain('serves meanwhile')
    expect(seen('feature-x')).toBe(`feature-x@${short(first)}`)
    await name(second, 'orders:2')
    await ready('feature-x')
    expect([seen('feature-x'), imagesOf('feature-x')]).toEqual([`feature-x@${short(second)}`, ['orders:2']])
  })

  it('restarts the copy of before, with its image, when it is lost while another one is waited for', async () => {
    const first = await running('orders:1')
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' })
    await bench.settle()
    await waiting()
    for (const [id, one] of bench.world.workloads) if (one.environment === 'feature-x') bench.world.workloads.delete(id)
    bench.manager.mark('feature-x')
    await bench.atRest(
      () => imagesOf('feature-x'),
      (images) => images[0] === 'orders:1',
    )
    expect(seen('feature-x')).toBe(`feature-x@${short(first)}`)
  })

  it('keeps an image that is named before anybody has seen the push', async () => {
    await bench.start()
    bench.git.commit('shop', 'feature/x', ON_IMAGE, 'main')
    await bench.settle()
    await waiting()
    const second = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' })
    expect(await name(second, 'orders:2')).toBe('kept')
    await bench.settle()
    await ready('feature-x')
    expect(imagesOf('feature-x')).toEqual(['orders:2'])
  })

  it('replaces an image by another one of the same commit, and changes nothing for the same one', async () => {
    const head = await running('orders:1')
    const runs = (await bench.runs('feature-x')).length
    expect(await name(head, 'orders:1')).toBe('known')
    await bench.settle()
    expect(await bench.runs('feature-x')).toHaveLength(runs)
    const held = holdDeploy('orders', 'feature-x')
    expect(await name(head, 'orders:1b')).toBe('replaces')
    // Whoever waits for the environment now waits for this image.
    expect(await bench.phase('feature-x')).not.toBe('ready')
    await held.reached
    expect(await bench.phase('feature-x')).not.toBe('ready')
    expect(imagesOf('feature-x')).toEqual(['orders:1'])
    held.letGo()
    await bench.atRest(
      () => imagesOf('feature-x'),
      ([image, ...others]) => image === 'orders:1b' && others.length === 0,
    )
    await ready('feature-x')
  })

  it('makes good a naming that was cut off before the environment was told, when the image is named again', async () => {
    const head = await running('orders:1')
    const target = { environment: 'feature-x', service: 'orders', commitSha: head }
    await keepImage(bench.store, target, { image: 'orders:1b', at: Date.now(), needed: new Set() })
    expect(await name(head, 'orders:1b')).toBe('replaces')
    await ready('feature-x')
    expect(imagesOf('feature-x')).toEqual(['orders:1b'])
  })

  it('replaces nothing when the commit is no longer the one that is wanted', async () => {
    const first = await running('orders:1')
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' })
    await bench.settle()
    await waiting()
    expect(await name(first, 'orders:1b')).toBe('kept')
    await bench.settle()
    expect(imagesOf('feature-x')).toEqual(['orders:1'])
  })

  it('takes over from a run that deploys an image which is no longer the one', async () => {
    const head = await awaiting()
    const held = holdDeploy('orders', 'feature-x')
    await name(head, 'orders:1')
    await held.reached
    bench.world.onDeploy = async () => undefined
    expect(await name(head, 'orders:1b')).toBe('deploys')
    await ready('feature-x')
    expect(imagesOf('feature-x')).toEqual(['orders:1b'])
  })

  it('tries a commit again that was given up on, when another image of it is named', async () => {
    const head = bench.git.commit('shop', 'feature/x', ON_IMAGE, 'main')
    bench.world.sickness = ({ definition: { run } }) => (run?.image === 'orders:bad' ? 'crashed' : undefined)
    await bench.start()
    await bench.settle()
    await waiting()
    await name(head, 'orders:bad')
    await bench.atRest(
      () => bench.environment('feature-x'),
      (now) => now?.conditions.some(({ reason }) => reason === 'GaveUp') === true,
    )
    expect(await name(head, 'orders:good')).toBe('deploys')
    await ready('feature-x')
    expect(imagesOf('feature-x')).toEqual(['orders:good'])
  })

  it('rolls back to a commit with the image that it had', async () => {
    const first = await running('orders:1')
    const second = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' })
    await bench.settle()
    await name(second, 'orders:2')
    await ready('feature-x')
    await rollBackService(bench.store, { environment: 'feature-x', service: 'orders' })
    bench.manager.mark('feature-x')
    await bench.atRest(
      () => imagesOf('feature-x'),
      ([image, ...others]) => image === 'orders:1' && others.length === 0,
    )
    expect(seen('feature-x')).toBe(`feature-x@${short(first)}`)
  })

  it('keeps what is named while it sleeps, and wakes with it', async () => {
    const head = await awaiting()
    await requestSleep(bench.running, 'feature-x')
    bench.manager.mark('feature-x')
    await bench.atRest(
      () => bench.phase('feature-x'),
      (phase) => phase === 'asleep',
    )
    expect(await name(head, 'orders:1')).toBe('kept')
    await requestWake(bench.running, 'feature-x')
    bench.manager.mark('feature-x')
    await ready('feature-x')
    expect(imagesOf('feature-x')).toEqual(['orders:1'])
  })

  it('forgets its images with the environment', async () => {
    const head = await running('orders:1')
    bench.git.delete('shop', 'feature/x')
    await bench.settle()
    await gone('feature-x')
    expect(
      await findImage(bench.store, { environment: 'feature-x', service: 'orders', commitSha: head }),
    ).toBeUndefined()
  })

  it('keeps an image of a push that has the service wait for the first time, before anybody has seen it', async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
    const head = bench.git.commit('shop', 'feature/x', ON_IMAGE)
    expect(await name(head, 'orders:1')).toBe('kept')
    await bench.settle()
    await ready('feature-x')
    expect(imagesOf('feature-x')).toEqual(['orders:1'])
  })

  it('refuses an image of a service that is deployed on push', async () => {
    const head = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
    const refused = await name(head, 'orders:1').catch((error: unknown) => error)
    expect(isAppError(refused, 'IMAGE_NOT_AWAITED')).toBe(true)
    expect(String(refused)).toContain('deploy: { on: image }')
  })

  it('keeps the images that may be needed again, and the newest', async () => {
    const first = await running('orders:first')
    const others = Array.from({ length: 60 }, (_, index) => index.toString(16).padStart(40, 'a'))
    bench.now = () => Date.now() + others.length
    for (const commitSha of others) await name(commitSha, `orders:${commitSha.slice(-2)}`)
    const found = await Promise.all(
      [first, ...others].map((commitSha) =>
        findImage(bench.store, { environment: 'feature-x', service: 'orders', commitSha }),
      ),
    )
    expect(found[0]).toBe('orders:first')
    expect(found.filter((image) => image !== undefined).length).toBeLessThanOrEqual(51)
    expect(found.at(-1)).toBeDefined()
  })
})
