import { createServer } from 'node:http'
import { MAX_PROBE_HOPS, type ProbeAnswer } from '@tributary/contract'
import {
  createContextKey,
  parseContextKeys,
  signContext,
  type ContextTokenPurpose,
} from '@tributary/contract/context-token'
import express from 'express'
import Fastify from 'fastify'
import Koa from 'koa'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withRoutingContext } from '../context/http-listener.js'
import { tributaryContext as forExpress } from '../express.js'
import { tributaryContext as forFastify } from '../fastify.js'
import { tributaryContext as forKoa } from '../koa.js'
import { echo, Fleet } from '../outgoing/fleet.test-support.js'
import type { Tributary } from '../tributary.js'

const contextKey = createContextKey()

function token(
  options: { readonly purpose?: ContextTokenPurpose; readonly key?: string; readonly ageSeconds?: number } = {},
) {
  const keys = parseContextKeys(options.key ?? contextKey)
  if (keys === undefined) throw new Error('the key is one')
  const issuedAt = Math.floor(Date.now() / 1000) - (options.ageSeconds ?? 0)
  const claims = { tenant: 'feature-x', issuedAt, expiresAt: issuedAt + 60, avoidsBaseline: false }
  return signContext(keys, claims, { purpose: options.purpose ?? 'probe' })
}

describe('a probe', () => {
  const fleet = new Fleet()
  const handled: string[] = []
  const clients = new Map<string, Tributary>()

  /** A program's copy of a service, which notes every request that its own code gets. */
  const program = (who: string) =>
    withLateClient(who, (request, response) => {
      handled.push(who)
      echo(who)(request, response)
    })

  const withLateClient =
    (who: string, listener: ReturnType<typeof echo>): ReturnType<typeof echo> =>
    (request, response) => {
      const client = clients.get(who)
      if (client === undefined) listener(request, response)
      else withRoutingContext(client, listener)(request, response)
    }

  beforeEach(async () => {
    handled.length = 0
    const names = ['integration/payments', 'integration/orders', 'feature-x/orders', 'integration/legacy']
    await fleet.start(names, program)
    for (const name of names.slice(0, 3)) {
      const [tenant = '', service = ''] = name.split('/')
      // Every copy of this fleet sees integration's view; that is enough, since probes are resolved by the table.
      clients.set(name, await fleet.client({ service, contextKey, instance: tenant }))
    }
  })

  afterEach(async () => {
    clients.clear()
    await fleet.stop()
  })

  async function probe(name: string, headers: Record<string, string>): Promise<ProbeAnswer> {
    const response = await fetch(fleet.url(name), { headers: { baggage: 'tributary-tenant=feature-x', ...headers } })
    return response.json() as Promise<ProbeAnswer>
  }

  it('is answered by the middleware with who it is and whose request it took it for, and runs no code of the program', async () => {
    const answer = await probe('integration/payments', { 'tributary-probe': token() })
    expect(answer).toEqual({
      service: 'payments',
      tenant: 'integration',
      instance: 'integration',
      contextTenant: 'feature-x',
      next: null,
    })
    expect(handled).toEqual([])
  })

  it('is passed on along its path with the context, to the copies that the tenant sees', async () => {
    const path = 'orders,payments,orders'
    const answer = await probe('integration/payments', { 'tributary-probe': token(), 'tributary-probe-path': path })
    const [first, second, third] = [answer.next, answer.next?.answer?.next, answer.next?.answer?.next?.answer?.next]
    expect([first?.owner, second?.owner, third?.owner]).toEqual(['feature-x', 'integration', 'feature-x'])
    expect(first?.answer).toMatchObject({ instance: 'feature-x', contextTenant: 'feature-x' })
    expect(third?.answer).toMatchObject({ instance: 'feature-x', contextTenant: 'feature-x', next: null })
    expect(handled).toEqual([])
  })

  it('says which service does not know probes, and why another cannot be reached', async () => {
    const legacy = await probe('integration/payments', { 'tributary-probe': token(), 'tributary-probe-path': 'legacy' })
    expect(legacy.next).toMatchObject({ to: 'legacy', owner: 'integration', answer: null })
    expect(legacy.next?.error).toContain('does not know probes')
    await fleet.kill('feature-x/orders')
    const dead = await probe('integration/payments', { 'tributary-probe': token(), 'tributary-probe-path': 'orders' })
    expect(dead.next?.error).toContain('ECONNREFUSED')
  })

  it('ends after a bounded number of services, whatever its path says', async () => {
    const path = Array.from({ length: 40 }, () => 'orders').join(',')
    let depth = 0
    const answer = await probe('integration/payments', { 'tributary-probe': token(), 'tributary-probe-path': path })
    for (let hop = answer.next; hop !== null && hop !== undefined; hop = hop.answer?.next ?? null) depth += 1
    expect(depth).toBe(MAX_PROBE_HOPS)
  })

  it.each([
    ['no token', () => 'yes'],
    ['a token of another key', () => token({ key: createContextKey() })],
    ['a token for something else', () => token({ purpose: 'capsule' })],
    ['an old token', () => token({ ageSeconds: 3_600 })],
  ])('with %s is an ordinary request', async (_, header) => {
    await probe('integration/payments', { 'tributary-probe': header() })
    expect(handled).toEqual(['integration/payments'])
  })

  it('is answered in fastify, express and koa too', async () => {
    const client = clients.get('integration/payments')
    if (client === undefined) throw new Error('there is one')
    const fastify = Fastify()
    fastify.register(forFastify, { client })
    fastify.get('/', async () => handled.push('fastify'))
    await fastify.ready()
    const expressApp = express()
    expressApp.use(forExpress(client))
    expressApp.get('/', (_request, response) => void response.send(String(handled.push('express'))))
    const koa = new Koa()
    koa.use(forKoa(client))
    koa.use((exchange) => {
      exchange.body = String(handled.push('koa'))
    })
    for (const listener of [fastify.routing.bind(fastify), expressApp, koa.callback()]) {
      const server = createServer((request, response) => {
        const done: unknown = listener(request, response)
        void done
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      const headers = { 'tributary-probe': token(), baggage: 'tributary-tenant=feature-x' }
      const answer = await (await fetch(`http://127.0.0.1:${port}/`, { headers })).json()
      expect(answer).toMatchObject({ service: 'payments', contextTenant: 'feature-x' })
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
    expect(handled).toEqual([])
    await fastify.close()
  })
})
