import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '@tributary/kit'
import { RESOURCES } from './kube-objects.js'
import { json, ScriptedServer } from './scripted-server.test-support.js'

/** Sleeps are over at once, and counted. */
class CountingClock implements Clock {
  readonly slept: number[] = []
  #now = 0
  now = (): number => this.#now
  monotonicMs = (): number => this.#now
  sleep = async (ms: number): Promise<void> => {
    this.slept.push(ms)
    this.#now += ms
  }
}

const signal = new AbortController().signal
const configMap = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps' }
const pod = (name: string) => ({ metadata: { name, namespace: 'x' } })

describe('KubeApi', () => {
  let server: ScriptedServer
  let clock: CountingClock
  beforeEach(async () => {
    server = await ScriptedServer.start()
    clock = new CountingClock()
  })
  afterEach(() => server[Symbol.asyncDispose]())

  it('waits as long as the server asks, then sends the request again', async () => {
    let count = 0
    server.answer = (_request, response) =>
      ++count === 1
        ? json(response, 429, { message: 'slow down' }, { 'retry-after': '7' })
        : json(response, 200, pod('a'))
    await expect(server.api({ clock }).get(RESOURCES.pod, { namespace: 'x', name: 'a' }, signal)).resolves.toEqual(
      pod('a'),
    )
    expect(clock.slept).toEqual([7000])
    expect(server.requests).toHaveLength(2)
  })

  it.each([500, 502, 503, 504])('tries again with backoff after a %i, until its patience ends', async (status) => {
    server.answer = (_request, response) => json(response, status, { message: 'etcd is leaderless' })
    const asked = server.api({ clock, patienceMs: 10_000 }).list(RESOURCES.pod, {}, signal)
    await expect(asked).rejects.toMatchObject({ code: 'KUBERNETES_UNREACHABLE', retryable: true })
    expect(clock.slept.length).toBeGreaterThan(2)
    expect(clock.slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(10_000)
  })

  it('tries again when the connection breaks before an answer', async () => {
    let count = 0
    server.answer = (request, response) => (++count === 1 ? request.socket.destroy() : json(response, 200, pod('a')))
    await server.api({ clock }).get(RESOURCES.pod, { namespace: 'x', name: 'a' }, signal)
    expect(count).toBe(2)
  })

  it('applies again when another write was faster', async () => {
    let count = 0
    server.answer = (_request, response) =>
      ++count === 1 ? json(response, 409, { reason: 'Conflict', message: 'modified' }) : json(response, 200, pod('a'))
    await server.api({ clock }).apply(RESOURCES.pod, pod('a'), signal)
    expect(server.requests[1]).toBe('PATCH /api/v1/namespaces/x/pods/a?fieldManager=tributary&force=true')
    expect(JSON.parse(server.bodies[1] ?? '')).toEqual({ apiVersion: 'v1', kind: 'Pod', ...pod('a') })
  })

  it('does not write again onto a state that is over', async () => {
    server.answer = (_request, response) => json(response, 409, { reason: 'Conflict', message: 'modified' })
    const read = { metadata: { name: 'a', namespace: 'x', resourceVersion: '7' } }
    const conflict = { code: 'KUBERNETES_CONFLICT' }
    await expect(server.api({ clock }).apply(RESOURCES.pod, read, signal)).rejects.toMatchObject(conflict)
    await expect(server.api({ clock }).replace(RESOURCES.pod, read, { signal })).rejects.toMatchObject(conflict)
    expect(server.requests).toHaveLength(2)
  })

  it.each([
    [401, {}, 'KUBERNETES_UNAUTHENTICATED'],
    [403, { message: 'User "u" cannot list resource "pods"' }, 'KUBERNETES_FORBIDDEN'],
    [403, { message: 'pods "a" is forbidden: exceeded quota: tributary' }, 'KUBERNETES_REJECTED'],
    [404, {}, 'KUBERNETES_NOT_FOUND'],
    [409, { reason: 'AlreadyExists', message: 'there already' }, 'KUBERNETES_CONFLICT'],
    [422, { message: 'spec.x is wrong' }, 'KUBERNETES_REJECTED'],
  ])('does not try again after a %i that stays so (%j)', async (status, body, code) => {
    server.answer = (_request, response) => json(response, status, body)
    await expect(server.api({ clock }).create(RESOURCES.pod, pod('a'), signal)).rejects.toMatchObject({ code })
    expect(server.requests).toEqual(['POST /api/v1/namespaces/x/pods?fieldManager=tributary'])
  })

  it('is silent about what is deleted already', async () => {
    server.answer = (_request, response) => json(response, 404, {})
    await server.api({ clock }).delete(configMap, { namespace: 'x', name: 'a' }, { signal, uid: 'u-1' })
    expect(JSON.parse(server.bodies[0] ?? '')).toEqual({
      propagationPolicy: 'Background',
      preconditions: { uid: 'u-1' },
    })
  })

  it('lists page by page', async () => {
    server.answer = (request, response) => {
      const isSecond = request.url?.includes('continue=more') === true
      const metadata = { resourceVersion: '9', ...(isSecond ? {} : { continue: 'more' }) }
      json(response, 200, { metadata, items: [pod(isSecond ? 'b' : 'a')] })
    }
    const list = await server.api({ clock }).list(RESOURCES.pod, { labelSelector: 'a=b' }, signal)
    expect(list).toEqual({ metadata: { resourceVersion: '9' }, items: [pod('a'), pod('b')] })
  })

  it('gives up an attempt that hangs, and one that nobody wants any more', async () => {
    server.answer = () => undefined
    const hanging = server.api({ clock, patienceMs: 0, attemptMs: 50 }).read('/version', signal)
    await expect(hanging).rejects.toMatchObject({ code: 'KUBERNETES_UNREACHABLE' })
    const unwanted = server.api({ clock }).read('/version', AbortSignal.timeout(50))
    await expect(unwanted).rejects.toMatchObject({ code: 'PLATFORM_CANCELED', kind: 'canceled' })
  })
})
