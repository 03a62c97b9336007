import type { ServerResponse } from 'node:http'
import { systemClock } from '@tributary/kit'
import { eventually } from '@tributary/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RESOURCES, type KubePod } from './kube-objects.js'
import { ListWatch } from './list-watch.js'
import { json, ScriptedServer } from './scripted-server.test-support.js'

const signal = new AbortController().signal
const pod = (name: string, resourceVersion: string): KubePod => ({
  metadata: { name, namespace: 'x', resourceVersion },
})

describe('ListWatch', () => {
  let server: ScriptedServer
  let listed: readonly KubePod[]
  let revision: string
  let watches: { readonly response: ServerResponse; readonly from: string | null }[]
  let told: string[]
  let errors: unknown[]
  let watch: ListWatch<KubePod>

  beforeEach(async () => {
    server = await ScriptedServer.start()
    ;[listed, revision, watches, told, errors] = [[], '1', [], [], []]
    server.answer = (request, response) => {
      const query = new URL(request.url ?? '', 'http://x').searchParams
      if (query.get('watch') !== 'true')
        return json(response, 200, { metadata: { resourceVersion: revision }, items: listed })
      response.writeHead(200).flushHeaders()
      watches.push({ response, from: query.get('resourceVersion') })
    }
    watch = new ListWatch<KubePod>({
      api: server.api(),
      clock: systemClock,
      resource: RESOURCES.pod,
      selection: {},
      onChange: ({ metadata }, change) => void told.push(`${metadata.name} ${change}`),
      onError: (error) => void errors.push(error),
    })
  })
  afterEach(async () => {
    await watch.stop()
    await server[Symbol.asyncDispose]()
  })

  const send = (type: string, object: unknown): void =>
    void watches.at(-1)?.response.write(`${JSON.stringify({ type, object })}\n`)
  const names = (): string[] =>
    watch
      .values()
      .map(({ metadata }) => metadata.name)
      .sort()
  const untilWatching = (count: number): Promise<void> => eventually(() => expect(watches).toHaveLength(count))
  const lists = (): number => server.requests.filter((request) => !request.includes('watch=true')).length

  it('keeps what is listed, then what is told', async () => {
    listed = [pod('a', '1')]
    await watch.start(signal)
    await untilWatching(1)
    send('ADDED', pod('b', '2'))
    send('DELETED', pod('a', '3'))
    await eventually(() => expect(names()).toEqual(['b']))
    expect(told).toEqual(['a present', 'b present', 'a gone'])
    expect(watch.state()).toMatchObject({ kind: 'Pod', objects: 1, lists: 1, failures: 0 })
  })

  it('goes on from the last revision, a bookmark’s too, when the server ends the watch', async () => {
    await watch.start(signal)
    await untilWatching(1)
    send('BOOKMARK', pod('', '41'))
    watches[0]?.response.end()
    await untilWatching(2)
    expect(watches.map(({ from }) => from)).toEqual(['1', '41'])
    expect(lists()).toBe(1)
    expect(errors).toEqual([])
  })

  it('lists again when its revision has expired, and tells what went meanwhile', async () => {
    listed = [pod('a', '1'), pod('b', '1')]
    await watch.start(signal)
    await untilWatching(1)
    ;[listed, revision] = [[pod('b', '1'), pod('c', '7')], '7']
    send('ERROR', { code: 410, message: 'too old resource version' })
    await untilWatching(2)
    expect(names()).toEqual(['b', 'c'])
    expect(told.slice(2)).toEqual(['a gone', 'c present'])
    expect(watches[1]?.from).toBe('7')
  })

  it('lists again after a broken connection, and tells of the failure once', async () => {
    await watch.start(signal)
    await untilWatching(1)
    server.cut()
    await untilWatching(2)
    expect(lists()).toBe(2)
    expect(errors).toHaveLength(1)
    expect(watch.state().failures).toBe(1)
  })

  it('says how old it is, and stops at once', async () => {
    expect(watch.state().ageMs).toBeUndefined()
    await watch.start(signal)
    expect(watch.state().ageMs).toBeLessThan(5000)
    await untilWatching(1)
    await watch.stop()
  })
})
