import { systemClock } from '@tributary/kit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { kubernetesWithDefaults } from '../../../domain/kubernetes-config.js'
import type { PlatformContext } from '../../../ports/platform.js'
import type { KubeNamespace } from '../api/kube-objects.js'
import { json, ScriptedServer } from '../api/scripted-server.test-support.js'
import type { KubernetesParts } from '../kubernetes-parts.js'
import { Spaces } from '../names.js'
import { ensureSpace } from './ensure-space.js'

const PATH = '/api/v1/namespaces/x'
const OURS = { 'tributary.dev/instance': 'main', 'tributary.dev/environment': 'x' }
const config = kubernetesWithDefaults({ quota: {}, limits: {}, networkPolicies: { enabled: false } })
const context: PlatformContext = {
  signal: new AbortController().signal,
  log: () => undefined,
  record: async () => undefined,
}

/** An API server with one namespace, which others may change right before any write. */
describe('claiming a namespace', () => {
  let server: ScriptedServer
  let stored: KubeNamespace | undefined
  let meanwhile: (() => void)[]
  let version: number

  beforeEach(async () => {
    server = await ScriptedServer.start()
    stored = undefined
    meanwhile = []
    version = 0
    server.answer = (request, response) => {
      const isRead = request.method === 'GET'
      if (!isRead) meanwhile.shift()?.()
      const { metadata } = isRead ? { metadata: {} } : (JSON.parse(server.bodies.at(-1) ?? '') as KubeNamespace)
      if (isRead) return stored === undefined ? json(response, 404, {}) : json(response, 200, stored)
      const sent = metadata as KubeNamespace['metadata']
      if (request.method === 'POST' && stored !== undefined)
        return json(response, 409, { reason: 'AlreadyExists', message: 'there is one' })
      const isStale =
        (sent.uid !== undefined && sent.uid !== stored?.metadata.uid) ||
        (sent.resourceVersion !== undefined && sent.resourceVersion !== stored?.metadata.resourceVersion)
      if (isStale) return json(response, 409, { reason: 'Conflict', message: 'it has changed' })
      put({ ...stored?.metadata.labels, ...sent.labels }, sent.annotations)
      return json(response, 200, stored)
    }
  })
  afterEach(() => server[Symbol.asyncDispose]())

  function put(labels: Readonly<Record<string, string>>, annotations: Readonly<Record<string, string>> = {}): void {
    version += 1
    const uid = stored?.metadata.uid ?? `uid-${version}`
    stored = { metadata: { name: 'x', uid, resourceVersion: String(version), labels, annotations } }
  }
  const claim = (generation = 1): Promise<void> => {
    const api = server.api({ clock: systemClock, patienceMs: 1_000 })
    const parts = { instance: 'main', config, spaces: new Spaces(''), api }
    // Nothing else of the platform has a part in it while there are no bounds, policies and secrets to make.
    return ensureSpace(parts as unknown as KubernetesParts, { environment: 'x', generation }, context)
  }
  const writes = (): readonly string[] => server.requests.filter((line) => !line.startsWith('GET'))

  it('creates it, and leaves it alone when it is there for the generation', async () => {
    await claim()
    await claim()
    expect(stored?.metadata.labels).toMatchObject(OURS)
    expect(writes()).toEqual(['POST /api/v1/namespaces?fieldManager=tributary'])
  })

  it('brings the one of a former generation up to date, as that very object', async () => {
    put(OURS, { 'tributary.dev/generation': '1' })
    await claim(2)
    expect(stored?.metadata.annotations).toEqual({ 'tributary.dev/generation': '2' })
    expect(JSON.parse(server.bodies.at(-1) ?? '')).toMatchObject({ metadata: { uid: 'uid-1', resourceVersion: '1' } })
  })

  it('refuses one that somebody else made between look and write, and does not touch it', async () => {
    meanwhile = [() => put({ owner: 'somebody' })]
    await expect(claim()).rejects.toMatchObject({ code: 'NAMESPACE_FOREIGN' })
    expect(stored?.metadata.labels).toEqual({ owner: 'somebody' })
    expect(writes()).toHaveLength(1)
  })

  it('takes the one that a process of this installation made between look and write', async () => {
    meanwhile = [() => put(OURS, { 'tributary.dev/generation': '1' })]
    await claim()
    expect(writes()).toHaveLength(1)
  })

  it('refuses one that was ours when it looked, and was made anew or labelled by somebody else before it wrote', async () => {
    put(OURS, { 'tributary.dev/generation': '1' })
    meanwhile = [
      () => {
        stored = undefined
        put({ owner: 'somebody' })
      },
    ]
    await expect(claim(2)).rejects.toMatchObject({ code: 'NAMESPACE_FOREIGN' })
    expect(stored?.metadata.labels).toEqual({ owner: 'somebody' })
    put({ ...OURS }, { 'tributary.dev/generation': '1' })
    meanwhile = [() => put({ ...OURS, 'tributary.dev/instance': 'other' })]
    await expect(claim(2)).rejects.toMatchObject({ code: 'NAMESPACE_FOREIGN' })
    expect(stored?.metadata.labels?.['tributary.dev/instance']).toBe('other')
  })

  it('creates it when it vanished between look and write', async () => {
    put(OURS, { 'tributary.dev/generation': '1' })
    meanwhile = [() => (stored = undefined)]
    await claim(2)
    expect(stored?.metadata).toMatchObject({ labels: OURS, annotations: { 'tributary.dev/generation': '2' } })
    expect(writes().map((line) => line.split('?')[0])).toEqual([`PATCH ${PATH}`, 'POST /api/v1/namespaces'])
  })

  it('gives up when it keeps changing, and says so', async () => {
    put(OURS, { 'tributary.dev/generation': '1' })
    meanwhile = Array.from({ length: 9 }, () => () => put(OURS, { 'tributary.dev/generation': '1' }))
    await expect(claim(2)).rejects.toMatchObject({ code: 'KUBERNETES_CONFLICT' })
    expect(writes()).toHaveLength(3)
  })
})
