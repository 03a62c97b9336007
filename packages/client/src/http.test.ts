import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createConfigCenterClient } from './config-center-client.js'
import { createEnvManagerClient } from './env-manager-client.js'
import { createHttpCaller } from './http.js'

let server: Server | undefined

afterEach(async () => {
  server?.closeAllConnections()
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)))
  server = undefined
})

async function serve(listener: RequestListener): Promise<string> {
  const listening = createServer(listener)
  server = listening
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
}

describe('createHttpCaller', () => {
  it('sends the token and the query, and leaves undefined members out', async () => {
    const baseUrl = await serve((request, response) =>
      response.end(JSON.stringify({ url: request.url, authorization: request.headers.authorization })),
    )
    const answer = await createHttpCaller({ baseUrl, token: 't' }).call('GET', '/x', {
      query: { a: 1, b: undefined, c: 'é&' },
    })
    expect(answer).toEqual({ url: '/x?a=1&c=%C3%A9%26', authorization: 'Bearer t' })
  })

  it('rejects with the code and details that the server sent', async () => {
    const error = {
      kind: 'conflict',
      code: 'REVISION_CONFLICT',
      message: 'm',
      retryable: false,
      details: { current: 1 },
    }
    const baseUrl = await serve((_request, response) => response.writeHead(409).end(JSON.stringify({ error })))
    await expect(createHttpCaller({ baseUrl }).call('GET', '/x')).rejects.toMatchObject(error)
  })

  it('says so when the answer is not from Tributary', async () => {
    const baseUrl = await serve((_request, response) => response.writeHead(502).end('<html>'))
    await expect(createHttpCaller({ baseUrl }).call('GET', '/x')).rejects.toMatchObject({ code: 'UNEXPECTED_ANSWER' })
  })

  it('names the address when nobody answers', async () => {
    const baseUrl = await serve(() => undefined)
    server?.close()
    const failure = createHttpCaller({ baseUrl }).call('GET', '/v1/x')
    await expect(failure).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE', retryable: true })
    await expect(failure).rejects.toThrow(`GET ${baseUrl}/v1/x: the server cannot be reached (ECONNREFUSED)`)
  })

  it('gives up after its timeout and on the caller’s signal', async () => {
    const baseUrl = await serve(() => undefined)
    await expect(createHttpCaller({ baseUrl, timeoutMs: 20 }).call('GET', '/x')).rejects.toMatchObject({
      code: 'SERVER_TIMEOUT',
    })
    const signal = AbortSignal.abort()
    await expect(createHttpCaller({ baseUrl }).call('GET', '/x', { signal })).rejects.toMatchObject({
      code: 'CANCELED',
    })
  })

  it('never follows a redirect with its token', async () => {
    const baseUrl = await serve((_request, response) => response.writeHead(302, { location: '/y' }).end())
    await expect(createHttpCaller({ baseUrl, token: 't' }).call('GET', '/x')).rejects.toMatchObject({
      kind: 'unavailable',
    })
  })
})

describe('createConfigCenterClient', () => {
  it('writes to the path of the entry with its precondition', async () => {
    const baseUrl = await serve((request, response) => {
      response.end(JSON.stringify({ storeRevision: `${request.method} ${request.url}`, changed: true }))
    })
    const client = createConfigCenterClient({ baseUrl })
    const result = await client.applyEntry(
      { tenant: 'f', service: 'a' },
      { endpoints: [] },
      { expectedRevision: '7', waitMs: 5 },
    )
    expect(result.storeRevision).toBe('PUT /v1/tenants/f/entries/a?expectedRevision=7&waitMs=5')
    const removed = await client.deleteTenant('f', { dependents: 'reparent', reason: 'r' })
    expect(removed.storeRevision).toBe('DELETE /v1/tenants/f?reason=r&dependents=reparent')
  })
})

describe('createEnvManagerClient', () => {
  it('gives a followed run’s lines and states until the end', async () => {
    const baseUrl = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('event: log\ndata: {"at":"t","source":"s","text":"hello"}\n\n')
      response.write('event: run\ndata: {"runId":"r"}\n\nevent: end\ndata: {}\n\n')
    })
    const events: unknown[] = []
    const signal = new AbortController().signal
    for await (const event of createEnvManagerClient({ baseUrl }).followRun('r', { follow: true }, signal))
      events.push(event)
    expect(events).toEqual([
      { kind: 'log', line: { at: 't', source: 's', text: 'hello' } },
      { kind: 'run', run: { runId: 'r' } },
    ])
  })

  it('ends quietly when the caller aborts', async () => {
    const baseUrl = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('event: log\ndata: {"at":"t","source":"s","text":"1"}\n\n')
    })
    const controller = new AbortController()
    const texts: string[] = []
    for await (const line of createEnvManagerClient({ baseUrl }).readLogs('e', { service: 's' }, controller.signal)) {
      texts.push(line.text)
      controller.abort()
    }
    expect(texts).toEqual(['1'])
  })
})
