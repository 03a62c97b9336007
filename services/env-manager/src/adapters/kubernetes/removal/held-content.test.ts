import { systemClock } from '@tributary/kit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { json, ScriptedServer } from '../api/scripted-server.test-support.js'
import type { KubernetesParts } from '../kubernetes-parts.js'
import { Spaces } from '../names.js'
import { deleteHeldContent, findHeldContent } from './held-content.js'

interface Stored {
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly finalizers?: readonly string[]
    deletionTimestamp?: string
  }
}

/** A namespace `team-x` of an API server that has ConfigMaps and Secrets, and lets nobody list the latter. */
describe('what has finalizers in a namespace', () => {
  const signal = new AbortController().signal
  const CONFIG_MAPS = '/api/v1/namespaces/team-x/configmaps'
  let server: ScriptedServer
  let configMaps: Stored[]
  /** Whoever set the finalizer cleans up as soon as it is told to. */
  let cleansUp: boolean

  beforeEach(async () => {
    server = await ScriptedServer.start()
    cleansUp = true
    configMaps = [
      { metadata: { name: 'free', uid: '1' } },
      { metadata: { name: 'held', uid: '2', finalizers: ['example.com/backup'] } },
    ]
    server.answer = (request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://server')
      const kinds = { configmaps: 'ConfigMap', secrets: 'Secret' }
      const resources = Object.entries(kinds).map(([name, kind]) => ({ name, kind }))
      if (pathname === '/api/v1') return json(response, 200, { resources })
      if (pathname.endsWith('/secrets'))
        return json(response, 403, { message: 'User "u" cannot list resource "secrets"' })
      if (pathname === CONFIG_MAPS) return json(response, 200, { metadata: {}, items: configMaps })
      const found = configMaps.find(({ metadata }) => pathname === `${CONFIG_MAPS}/${metadata.name}`)
      if (request.method !== 'DELETE' || found === undefined) return json(response, 404, {})
      found.metadata.deletionTimestamp = '2026-01-01T00:00:00Z'
      if (cleansUp) configMaps = configMaps.filter((one) => one !== found)
      return json(response, 200, {})
    }
  })
  afterEach(() => server[Symbol.asyncDispose]())

  const deleteAll = (removalPatienceMs: number): Promise<void> => {
    const parts = { api: server.api(), clock: systemClock, spaces: new Spaces('team-'), removalPatienceMs }
    return deleteHeldContent(parts as unknown as KubernetesParts, 'x', signal)
  }
  const names = (): readonly string[] => configMaps.map(({ metadata }) => metadata.name)

  it('is deleted, and waited for; the rest is left to the namespace', async () => {
    await deleteAll(10_000)
    expect(names()).toEqual(['free'])
  })

  it('is asked to go once, and named when it does not', async () => {
    cleansUp = false
    await expect(deleteAll(600)).rejects.toMatchObject({
      code: 'PLATFORM_STUCK',
      retryable: true,
      message: expect.stringMatching(
        /^The namespace team-x is not empty yet after 1 s: ConfigMap held is held by the finalizer example\.com\/backup\. .*release-finalizers x`/,
      ),
    })
    expect(server.requests.filter((line) => line.startsWith('DELETE'))).toHaveLength(1)
    expect(names()).toEqual(['free', 'held'])
  })

  it('is told apart from what is only being deleted by somebody', async () => {
    const before = await findHeldContent(server.api(), 'team-x', signal)
    cleansUp = false
    await expect(deleteAll(0)).rejects.toMatchObject({ code: 'PLATFORM_STUCK' })
    const after = await findHeldContent(server.api(), 'team-x', signal)
    expect([before, after].map((found) => found.map(({ name, isEnding }) => [name, isEnding]))).toEqual([
      [['held', false]],
      [['held', true]],
    ])
  })
})
