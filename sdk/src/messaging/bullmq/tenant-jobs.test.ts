import { Queue, Worker, type Job } from 'bullmq'
import { REDIS, RedisServer, describeWithServer, eventually } from '@tributary/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { currentTenant, runWithTenant } from '../../context/routing-context.js'
import { ProcessWorld, SHOP, type Tenants } from '../messaging-world.test-support.js'
import { inContext, tenantProcessor } from './tenant-jobs.js'

interface Done {
  readonly by: string
  readonly number: number
  /** The routing context that the processor ran in. */
  readonly tenant: string | undefined
}

describeWithServer('jobs of BullMQ', REDIS, () => {
  let redis: RedisServer
  let queue: Queue<{ number: number }>
  let workers: Worker[]
  let done: Done[]
  let name: string
  let queues = 0

  beforeAll(async () => {
    redis = await RedisServer.start()
  })

  afterAll(async () => {
    await redis.stop()
  })

  beforeEach(() => {
    queues += 1
    name = `orders-${queues}`
    workers = []
    done = []
    queue = new Queue(name, { connection: { host: '127.0.0.1', port: redis.port } })
  })

  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.close()))
    await queue.close()
  })

  const baseline = (tenants: Tenants = SHOP): ProcessWorld => new ProcessWorld('integration').hold(tenants)

  function work(world: ProcessWorld, process = async (_job: Job): Promise<void> => undefined): Worker {
    const processor = tenantProcessor(
      world,
      { reofferMs: 2, maxReofferMs: 50 },
      async (job: Job<{ number: number }>) => {
        // The context must hold across what processors wait for.
        await new Promise((resolve) => setTimeout(resolve, job.data.number % 3))
        done.push({ by: world.tenant, number: job.data.number, tenant: currentTenant() })
        await process(job)
      },
    )
    const worker = new Worker(name, processor, { connection: { host: '127.0.0.1', port: redis.port }, concurrency: 4 })
    workers.push(worker)
    return worker
  }

  function add(tenant: string | undefined, number: number, options = {}): Promise<unknown> {
    return runWithTenant(tenant, () => queue.add('pay', { number }, inContext(baseline(), options)))
  }

  const settled = (count: number): Promise<void> =>
    eventually(() => expect(done.length).toBeGreaterThanOrEqual(count), { timeoutMs: 15_000 })

  it('reach the tenant’s own worker, or the baseline’s, each exactly once and in its context', async () => {
    work(baseline())
    work(new ProcessWorld('feature-x').hold(SHOP))
    const tenants = ['feature-x', 'feature-y', 'stacked', undefined]
    await Promise.all(Array.from({ length: 60 }, (_each, number) => add(tenants[number % 4], number)))
    await settled(60)
    await eventually(async () => expect((await queue.getJobCounts('completed'))['completed']).toBe(60))
    const expected = Array.from({ length: 60 }, (_each, number) => {
      const tenant = tenants[number % 4]
      return { by: tenant === 'feature-x' || tenant === 'stacked' ? 'feature-x' : 'integration', number, tenant }
    })
    expect(done.toSorted((one, other) => one.number - other.number)).toEqual(expected)
  })

  it('are lost by nobody and done twice by nobody while an environment comes and goes', async () => {
    const withoutX: Tenants = { ...SHOP, 'feature-x': { base: 'integration', services: {} } }
    const [base, feature] = [baseline(), new ProcessWorld('feature-x').hold(SHOP)]
    work(base)
    work(feature)
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(Array.from({ length: 10 }, (_each, index) => add('feature-x', round * 10 + index)))
      // The tables of two processes do not change at the same moment.
      const [first, second] = round % 2 === 0 ? [base, feature] : [feature, base]
      const tenants = round % 4 < 2 ? withoutX : SHOP
      first.hold(tenants)
      await new Promise((resolve) => setImmediate(resolve))
      second.hold(tenants)
    }
    await settled(100)
    expect(done.map(({ number }) => number).sort((one, other) => one - other)).toEqual(
      Array.from({ length: 100 }, (_each, number) => number),
    )
    expect(new Set(done.map(({ tenant }) => tenant))).toEqual(new Set(['feature-x']))
  })

  it('wait for the owner while its worker is not there, and fall to the baseline when its environment goes', async () => {
    const base = baseline()
    work(base)
    await add('feature-x', 1)
    const [job] = await eventually(async () => {
      const jobs = await queue.getJobs()
      expect(jobs[0]?.attemptsStarted).toBeGreaterThan(2)
      return jobs
    })
    expect([done, job?.attemptsMade]).toEqual([[], 0])
    base.hold({ integration: SHOP['integration'] ?? { base: null, services: {} } })
    await settled(1)
    expect(done).toEqual([{ by: 'integration', number: 1, tenant: undefined }])
  })

  it('keep their context through a delay and a retry', async () => {
    work(new ProcessWorld('feature-x').hold(SHOP), async (job) => {
      if (job.attemptsMade === 0) throw new Error('try again')
    })
    await add('feature-x', 5, { delay: 20, attempts: 2, backoff: 5 })
    await settled(2)
    expect(done).toEqual(Array.from({ length: 2 }, () => ({ by: 'feature-x', number: 5, tenant: 'feature-x' })))
  })

  it('fail for good when their service is masked', async () => {
    const world = new ProcessWorld('integration', { service: 'mail' }).hold(SHOP)
    work(world)
    await add('feature-x', 1, { attempts: 5 })
    const [job] = await eventually(async () => {
      const failed = await queue.getJobs('failed')
      expect(failed).toHaveLength(1)
      return failed
    })
    expect(job?.failedReason).toBe('nobody may handle this job: mail is masked by feature-x')
    expect(done).toEqual([])
  })
})
