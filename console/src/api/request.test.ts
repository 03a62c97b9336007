import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import { request } from './request.js'

const servers: Server[] = []

afterEach(() => {
  vi.unstubAllGlobals()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** Answers 200 with the first part of a body, then does what it is told. Paths are on the page's own origin: here it is the server's. */
async function serve(body: string, then: (end: () => void, cut: () => void) => void): Promise<void> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '20' })
    response.write(body)
    then(
      () => response.end(),
      () => response.destroy(),
    )
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { fetch } = globalThis
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => fetch(origin + path, init))
}

it('answers the body', async () => {
  await serve('{"a":"123456789012"}', (end) => end())
  await expect(request({ path: '/v1/x' })).resolves.toEqual({ a: '123456789012' })
})

it('answers nothing for what is not JSON', async () => {
  await serve('<p>1234567890123</p>', (end) => end())
  await expect(request({ path: '/v1/x' })).resolves.toBeUndefined()
})

it('takes an answer that is cut off for none', async () => {
  await serve('{"a":', (_, cut) => setImmediate(cut))
  await expect(request({ path: '/v1/x' })).rejects.toMatchObject({ code: 'UNREACHABLE' })
})

it('ends with the reason of whoever gave it up while its body came', async () => {
  const ending = new AbortController()
  await serve('{"a":', () => setTimeout(() => ending.abort(), 20))
  await expect(request({ path: '/v1/x', signal: ending.signal })).rejects.toMatchObject({ name: 'AbortError' })
})
