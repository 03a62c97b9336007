import { describe, expect, it } from 'vitest'
import { NO_CONTEXT, type RoutingContext } from '../context/routing-context.js'
import type { OutgoingCall } from './call-observer.js'
import { ProcessObserver, type ProcessObserverOptions } from './process-observer.js'
import { ServedRequest } from './served-request.js'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${TRACE}-b7ad6b7169203331-01`
const tenantContext = (tenant: string): RoutingContext => ({ tenant, origin: 'request', baggage: [] })

/** `integration/payments`, where `feature-x` and `feature-y` have `orders` of their own but no payments, unless `owners` says so. */
function payments(options: Partial<ProcessObserverOptions> = {}) {
  let now = 0
  const said: string[] = []
  const observer = new ProcessObserver({
    service: 'payments',
    tenant: 'integration',
    ownerFor: () => 'integration',
    ownStamp: () => undefined,
    monotonicMs: () => now,
    onCounted: () => undefined,
    onLeak: (message) => said.push(message),
    ...options,
  })
  const serve = (context: RoutingContext, headers: Record<string, string> = {}) => {
    const served = observer.serve(context, { method: 'GET', url: '/quote?amount=3', headers })
    return { context: served, end: () => ServedRequest.find(served)?.end() }
  }
  const call = (more: Partial<OutgoingCall> = {}) =>
    observer.call({
      service: 'orders',
      method: 'GET',
      path: '/callback/7',
      tenant: undefined,
      traceId: undefined,
      context: undefined,
      ...more,
    })
  return { observer, serve, call, said, pass: (ms: number) => (now += ms) }
}

describe('ProcessObserver', () => {
  it('counts calls with their latency and errors by tenant and service', () => {
    const { observer, call, pass } = payments()
    const first = call({ tenant: 'feature-x', context: tenantContext('feature-x') })
    pass(7)
    first(false)
    first(true)
    call({ tenant: 'feature-x' })(true)
    call({ context: NO_CONTEXT })(false)
    const { calls, leaks } = observer.counter.take()
    expect(calls.map(({ tenant, to, calls: count, errors }) => [tenant, to, count, errors])).toEqual([
      ['feature-x', 'orders', 2, 1],
      [null, 'orders', 1, 0],
    ])
    expect(calls[0]?.latency.slice(0, 4)).toEqual([1, 0, 0, 1])
    expect([leaks, observer.counter.isEmpty]).toEqual([[], true])
  })

  it('sees a call that goes out without the tenant of the code that makes it', () => {
    const { observer, serve, call, said } = payments()
    const { context } = serve(tenantContext('feature-x'), { traceparent })
    call({ context })
    call({ context })
    expect(observer.counter.take().leaks).toEqual([
      { kind: 'dropped', tenant: 'feature-x', peer: 'orders', route: 'GET /quote', count: 2, traceId: TRACE },
    ])
    expect(said).toEqual([expect.stringMatching(/^payments -> orders: feature-x was lost while serving GET \/quote/)])
  })

  it('recognises a call without any context by its trace, even after the answer', () => {
    const { observer, serve, call } = payments()
    serve(tenantContext('feature-x'), { traceparent }).end()
    serve(tenantContext('feature-y'))
    call({ traceId: TRACE })
    expect(observer.counter.take().leaks).toMatchObject([{ kind: 'dropped', tenant: 'feature-x', route: 'GET /quote' }])
  })

  it('does not blame a request of no tenant', () => {
    const { observer, serve, call } = payments()
    const { context } = serve(NO_CONTEXT, { traceparent })
    serve(tenantContext('feature-x'))
    call({ context })
    call({ traceId: TRACE })
    expect(observer.counter.take().leaks).toEqual([])
  })

  it('suspects a call without context while requests of tenants are served, and names the tenant where there is only one', () => {
    const { observer, serve, call } = payments()
    const one = serve(tenantContext('feature-x'))
    call()
    const other = serve(tenantContext('feature-y'))
    call()
    one.end()
    other.end()
    call({ path: '/other' })
    expect(observer.counter.take().leaks.map(({ kind, tenant, route, count }) => [kind, tenant, route, count])).toEqual(
      [
        ['suspected', 'feature-x', 'GET /callback/:id', 1],
        ['suspected', null, 'GET /callback/:id', 1],
      ],
    )
  })

  it('does not suspect what the process does of its own accord, nor what says that it has no tenant', () => {
    const { observer, serve, call } = payments()
    call({ path: '/poll' })
    serve(tenantContext('feature-x'))
    call({ path: '/poll' })
    call({ path: '/report', context: NO_CONTEXT })
    expect(observer.counter.take().leaks).toEqual([])
  })

  it('counts a call that a feature process makes without its stamp, since everything that it does is of its environment', () => {
    const { observer, call } = payments({ tenant: 'feature-x', ownStamp: () => 'feature-x' })
    call()
    call({ tenant: 'feature-x' })
    expect(observer.counter.take().leaks).toMatchObject([{ kind: 'dropped', tenant: 'feature-x', count: 1 }])
  })

  it('sees a request that should have gone to the tenant’s own copy, and who sent it', () => {
    const { observer, serve } = payments({
      ownerFor: (tenant) => (tenant === 'feature-x' ? 'feature-x' : 'integration'),
    })
    serve(tenantContext('feature-x'), { 'tributary-caller': 'web', traceparent })
    serve(tenantContext('feature-x'), { 'tributary-caller': 'WEB\n<script>' })
    serve(tenantContext('feature-y'), { 'tributary-caller': 'web' })
    expect(observer.counter.take().leaks).toEqual([
      { kind: 'misrouted', tenant: 'feature-x', peer: 'web', route: 'GET /quote', count: 1, traceId: TRACE },
      { kind: 'misrouted', tenant: 'feature-x', peer: null, route: 'GET /quote', count: 1 },
    ])
  })

  it('does not call a request misrouted when nobody has the service for its tenant', () => {
    const { observer, serve } = payments({ ownerFor: () => null })
    serve(tenantContext('feature-x'))
    expect(observer.counter.isEmpty).toBe(true)
  })

  describe('where the middleware is missing', () => {
    const arrive = (observer: ProcessObserver, headers: Record<string, string>) => {
      const request = { headers }
      const response = { writableEnded: false, destroyed: false }
      observer.arrive(request, response)
      return { request, response }
    }
    const baggage = 'tributary-tenant=feature-x'

    it('suspects calls while a request of a tenant is worked on, and knows it by its trace', () => {
      const { observer, call } = payments()
      arrive(observer, { baggage, traceparent })
      call()
      call({ traceId: TRACE })
      expect(observer.counter.take().leaks.map(({ kind, tenant }) => [kind, tenant])).toEqual([
        ['suspected', 'feature-x'],
        ['dropped', 'feature-x'],
      ])
    })

    it('forgets requests that the middleware takes, that are answered and that are cut off', () => {
      const { observer, call } = payments()
      const { request } = arrive(observer, { baggage })
      observer.serve(NO_CONTEXT, request)
      arrive(observer, { baggage }).response.writableEnded = true
      arrive(observer, { baggage }).response.destroyed = true
      arrive(observer, { baggage: 'user=7' })
      arrive(observer, { baggage, 'tributary-probe': 'x' })
      call()
      expect(observer.counter.take().leaks).toEqual([])
    })

    it('names no tenant when several are worked on', () => {
      const { observer, call } = payments()
      arrive(observer, { baggage })
      arrive(observer, { baggage: 'tributary-tenant=feature-y' })
      call()
      expect(observer.counter.take().leaks).toMatchObject([{ kind: 'suspected', tenant: null }])
    })
  })

  it('keeps at most one report’s worth of series, and says how many calls found no room', () => {
    const { observer, call } = payments()
    for (let index = 0; index < 600; index += 1) call({ tenant: `t${index}` })(false)
    const { calls, uncounted } = observer.counter.take()
    expect([calls.length, uncounted]).toEqual([500, 100])
  })
})
