import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serveParent } from './child.js'

/** A bare node:http server that answers every request with the same bytes: what no resolved read can be faster than. */
serveParent(async (message) => {
  const { body } = message as { readonly body: string }
  const bytes = Buffer.from(body)
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length })
    response.end(bytes)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
})
