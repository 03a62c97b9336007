import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Endpoint } from '@tributary/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PlatformContext, ServiceName } from '../../ports/platform.js'
import type { KubeObject, KubeService } from './api/kube-objects.js'
import { json, ScriptedServer } from './api/scripted-server.test-support.js'
import type { KubernetesParts } from './kubernetes-parts.js'
import { Spaces } from './names.js'
import { applyServiceNames } from './service-names.js'

const OURS = { 'tributary.dev/instance': 'main', 'tributary.dev/environment': 'x' }
const POD = '10.0.0.1'
const SOMEBODY = '192.0.2.7'
const OTHERS = '192.0.2.8'

interface Endpoints extends KubeObject {
  readonly subsets: readonly { readonly addresses: readonly { readonly ip: string }[] }[]
}

/**
 * A cluster with one Service, as its controllers keep addresses: a Service that selects pods has their addresses in Endpoints and a slice; one that selects none keeps
 * what it had, and its Endpoints are mirrored into a slice of their own, which stays when it selects pods again.
 */
class SmallCluster {
  service: KubeService | undefined
  #endpoints: readonly string[] | undefined
  readonly #slices = new Map<string, readonly string[]>()

  /** Every address that nodes send connections to. */
  addresses(): readonly string[] {
    if (this.service?.spec?.type === 'ExternalName') return []
    return [...this.#slices.values()].flat().toSorted()
  }

  answer(request: IncomingMessage, body: string, response: ServerResponse): void {
    const path = (request.url ?? '').split('?')[0] ?? ''
    const [kind = '', name = ''] = path.split('/namespaces/x').at(-1)?.split('/').slice(1) ?? []
    if (request.method === 'GET' && kind === '')
      return json(response, 200, { metadata: { name: 'x', uid: 'one', labels: OURS } })
    if (request.method === 'GET') return json(response, 200, { metadata: {}, items: this.#list(kind) })
    if (request.method === 'DELETE') this.#delete(kind, name)
    else this.#apply(kind, JSON.parse(body) as KubeObject)
    this.#control()
    return json(response, 200, {})
  }

  #list(kind: string): readonly KubeObject[] {
    if (kind === 'endpointslices') return [...this.#slices.keys()].map((name) => ({ metadata: { name } }))
    return this.service === undefined ? [] : [this.service]
  }

  #delete(kind: string, name: string): void {
    if (kind === 'endpointslices') this.#slices.delete(name)
    if (kind !== 'endpoints') return
    this.#endpoints = undefined
    if (!this.#selectsPods()) this.#slices.delete('mirrored')
  }

  #apply(kind: string, object: KubeObject): void {
    if (kind === 'services') this.service = object
    else this.#endpoints = (object as Endpoints).subsets.flatMap(({ addresses }) => addresses.map(({ ip }) => ip))
  }

  #control(): void {
    if (this.#selectsPods()) {
      this.#endpoints = [POD]
      this.#slices.set('pods', [POD])
    } else if (this.#endpoints !== undefined) this.#slices.set('mirrored', this.#endpoints)
  }

  #selectsPods(): boolean {
    return this.service?.spec?.selector !== undefined
  }
}

const endpoint = (host: string): Endpoint => ({ name: 'http', port: 8080, protocol: 'http', host })
const inherited = (host: string): ServiceName => ({
  service: 'orders',
  state: 'inherited',
  endpoints: [endpoint(host)],
})
const OWN: ServiceName = { service: 'orders', state: 'own', endpoints: [endpoint('orders.x.svc.cluster.local')] }

/** What a name can lead to, and where nodes send its connections then. */
const LEADS = {
  pods: { name: OWN, addresses: [POD] },
  'an address': { name: inherited(SOMEBODY), addresses: [SOMEBODY] },
  'another address': { name: inherited(OTHERS), addresses: [OTHERS] },
  'a name': { name: inherited('orders.integration.svc.cluster.local'), addresses: [] },
} as const
type Lead = keyof typeof LEADS
const ALL = Object.keys(LEADS) as readonly Lead[]

describe('a name that is led elsewhere while its manager dies', () => {
  let server: ScriptedServer
  let cluster: SmallCluster
  /** The manager of these requests is killed with its n-th write, which is or is not heard. */
  let death: { after: number; readonly isHeard: boolean; readonly killed: AbortController } | undefined

  beforeEach(async () => {
    server = await ScriptedServer.start()
    cluster = new SmallCluster()
    server.answer = (request, response) => {
      if (request.method !== 'GET' && death !== undefined) {
        death.after -= 1
        if (death.after < 0) return void request.socket.destroy()
        if (death.after === 0) {
          death.killed.abort()
          if (!death.isHeard) return void request.socket.destroy()
        }
      }
      cluster.answer(request, server.bodies.at(-1) ?? '', response)
    }
  })
  afterEach(() => server[Symbol.asyncDispose]())

  const lead = (to: Lead, signal = new AbortController().signal): Promise<void> => {
    const parts = { instance: 'main', spaces: new Spaces(''), api: server.api() }
    const context: PlatformContext = { signal, log: () => undefined, record: async () => undefined }
    // Nothing else of the platform has a part in names.
    const given = { environment: 'x', names: [LEADS[to].name] }
    return applyServiceNames(parts as unknown as KubernetesParts, given, context)
  }
  /** True when the manager was dead before it was done. */
  const leadUntilKilled = async (to: Lead, kill: { after: number; isHeard: boolean }): Promise<boolean> => {
    const killed = new AbortController()
    death = { ...kill, killed }
    await lead(to, killed.signal).catch((error: unknown) => {
      if (!killed.signal.aborted) throw error
    })
    death = undefined
    return killed.signal.aborted
  }
  /** Dies once at every write of the turn, heard and unheard, and once not at all; `then` is what the next manager does. Answers how often it died. */
  const atEveryWrite = async (from: Lead, to: Lead, then: (where: string) => Promise<void>): Promise<number> => {
    let deaths = 0
    for (const isHeard of [true, false])
      for (let after = 1, isKilled = true; isKilled; after += 1) {
        cluster = new SmallCluster()
        await lead(from)
        isKilled = await leadUntilKilled(to, { after, isHeard })
        await then(`from ${from} to ${to}, killed with write ${after}, ${isHeard ? 'heard' : 'not heard'}`)
        if (isKilled) deaths += 1
      }
    return deaths
  }

  it.each(ALL)('from %s, leads after the next look where it is to lead by then, and there alone', async (from) => {
    for (const to of ALL.filter((one) => one !== from))
      for (const last of ALL) {
        const deaths = await atEveryWrite(from, to, async (where) => {
          await lead(last)
          expect(cluster.addresses(), `${where}, then to ${last}`).toEqual(LEADS[last].addresses)
          expect(cluster.service?.metadata.annotations, where).toBeUndefined()
        })
        expect(deaths).toBeGreaterThan(1)
      }
  })

  it('is written once more for the mark only when it turns from pods to an address', async () => {
    const writesOf = async (from: Lead, to: Lead): Promise<number> => {
      cluster = new SmallCluster()
      await lead(from)
      const before = server.requests.length
      await lead(to)
      return server.requests.slice(before).filter((line) => line.startsWith('PATCH')).length
    }
    expect(await writesOf('pods', 'a name')).toBe(1)
    expect(await writesOf('a name', 'pods')).toBe(1)
    expect(await writesOf('a name', 'an address')).toBe(2)
    expect(await writesOf('pods', 'an address')).toBe(3)
    expect(await writesOf('pods', 'pods')).toBe(0)
  })
})
