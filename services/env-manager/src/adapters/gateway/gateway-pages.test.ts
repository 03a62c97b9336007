import { describe, expect, test } from 'vitest'
import { useGateway } from './gateway-world.test-support.js'

const world = useGateway()

describe('failures', () => {
  test('tell which service is down', async () => {
    const endpoint = await world.echo()
    world.own('orders', endpoint)
    await world.stopServices()
    for (const method of ['GET', 'POST']) {
      const answer = await world.ask('/orders/', {
        method,
        ...(method === 'POST' ? { body: 'x'.repeat(1_000_000) } : {}),
      })
      expect(answer.status).toBe(502)
      expect(JSON.parse(answer.text)).toMatchObject({
        error: { code: 'GATEWAY_UPSTREAM_DOWN', details: { service: 'orders', owner: 'feature-x' } },
      })
    }
  })

  test('of a refused connection are repaired by looking again who answers', async () => {
    const moved = await world.echo()
    const old = await world.closed()
    for (const method of ['GET', 'POST']) {
      world.resolutions = 0
      world.own('orders', old)
      const original = world.table.get.bind(world.table)
      world.table.get = (key) =>
        world.resolutions > 1 ? { state: 'own', owner: 'feature-x', endpoint: moved } : original(key)
      expect((await world.ask('/orders/', { method })).status).toBe(200)
      world.table.get = original
    }
  })

  test('explain a masked service, a missing one, one without an address, and one that does not speak http', async () => {
    const endpoint = await world.echo()
    world.table.set('feature-x/hidden', { state: 'masked', owner: 'feature-x', endpoint: undefined })
    world.own('orders', endpoint)
    world.own('nowhere', undefined)
    world.own('queue', { ...endpoint, protocol: 'tcp' })
    const codes = await Promise.all(
      ['hidden', 'missing', 'nowhere', 'queue'].map(async (service) => {
        const answer = await world.ask(`/${service}/`)
        return [answer.status, JSON.parse(answer.text).error.code]
      }),
    )
    expect(codes).toEqual([
      [404, 'GATEWAY_SERVICE_MASKED'],
      [404, 'GATEWAY_SERVICE_UNKNOWN'],
      [502, 'GATEWAY_UPSTREAM_DOWN'],
      [502, 'GATEWAY_UPSTREAM_DOWN'],
    ])
    expect((await world.ask('/missing/')).text).toContain('orders')
  })

  test('of an unknown environment list the known ones', async () => {
    await world.gateway.apply('feature-y')
    const answer = await world.ask('/', { host: 'feature-z.localhost' })
    expect(answer.status).toBe(404)
    expect(JSON.parse(answer.text).error).toMatchObject({
      code: 'GATEWAY_ENVIRONMENT_UNKNOWN',
      details: { environments: ['feature-x', 'feature-y'] },
    })
  })

  test('of an unknown environment are answered to people with a heading that they can read', async () => {
    const answer = await world.ask('/', { host: 'feature-z.localhost', headers: { accept: 'text/html' } })
    expect(answer.text).toContain('<h1>There is no such environment</h1>')
    expect(answer.text).toContain('<p>Error code: GATEWAY_ENVIRONMENT_UNKNOWN</p>')
  })

  test('of a foreign host reach nothing', async () => {
    world.own('orders', await world.echo())
    for (const host of ['evil.example', 'a.b.localhost', '<x>.localhost'])
      expect((await world.ask('/orders/', { host })).status).toBe(421)
    expect(world.resolutions).toBe(0)
  })

  test('show hostile names as text', async () => {
    world.own('orders', await world.echo())
    const answer = await world.ask('/<script>alert(1)<script>/', { headers: { accept: 'text/html' } })
    expect(answer.headers['content-type']).toContain('text/html')
    expect(answer.text).not.toContain('<script>')
    expect(answer.text).toContain('&lt;script&gt;')
  })
})

describe('an environment that is asleep', () => {
  test('is being woken by whoever asks for it, and answers again once it is applied', async () => {
    world.own('orders', await world.echo())
    const [wanted, used] = [[] as string[], [] as string[]]
    const stop = world.gateway.follow?.({
      wanted: (environment) => wanted.push(environment),
      used: (environment) => used.push(environment),
    })
    await world.gateway.suspend?.('feature-x')
    const program = await world.ask('/orders/')
    expect([program.status, program.headers['retry-after'], JSON.parse(program.text).error]).toMatchObject([
      503,
      '2',
      { code: 'GATEWAY_ENVIRONMENT_ASLEEP', retryable: true },
    ])
    const person = await world.ask('/', { headers: { accept: 'text/html' } })
    expect(person.status).toBe(503)
    expect(person.text).toContain('<h1>The environment is waking up</h1>')
    expect(person.text).toContain('<meta http-equiv="refresh" content="2">')
    expect([wanted, used]).toEqual([['feature-x', 'feature-x'], []])
    await world.gateway.apply('feature-x')
    expect((await world.ask('/orders/')).status).toBe(200)
    expect([wanted.length, used]).toEqual([2, ['feature-x']])
    stop?.()
    await world.ask('/orders/')
    expect(used).toHaveLength(1)
  })
})

describe('pages', () => {
  test('list the services of an environment, for programs and for people', async () => {
    world.own('orders', await world.echo())
    world.table.set('feature-x/stock', { state: 'inherited', owner: 'integration', endpoint: undefined })
    expect(JSON.parse((await world.ask('/')).text)).toEqual({
      environment: 'feature-x',
      services: [
        { service: 'orders', state: 'own', owner: 'feature-x', path: '/orders/' },
        { service: 'stock', state: 'inherited', owner: 'integration', path: '/stock/' },
      ],
    })
    const page = await world.ask('/', { headers: { accept: 'text/html,*/*' } })
    expect(page.text).toMatch(/<a href="\/stock\/">stock<\/a> <small>inherited from integration<\/small>/)
  })

  test('list the environments at the bare host', async () => {
    await world.gateway.apply('feature-y')
    const { environments } = JSON.parse((await world.ask('/', { host: `localhost:${world.gateway.port}` })).text)
    expect(environments).toEqual([
      { environment: 'feature-x', url: `http://feature-x.localhost:${world.gateway.port}/` },
      { environment: 'feature-y', url: `http://feature-y.localhost:${world.gateway.port}/` },
    ])
  })
})
