import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Tributary } from '../tributary.js'
import { healthEndpoints, type HealthEndpoint, type HealthOptions } from './health-answers.js'

/**
 * Health endpoints for plain node:http: the handler answers GET and HEAD requests to their paths and returns true; for any other
 * request it touches nothing and returns false.
 */
export function createHealthHandler(
  client: Tributary,
  options: HealthOptions = {},
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const endpoints = healthEndpoints(client, options)
  return (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false
    const endpoint = endpoints.get((request.url ?? '').split('?', 1)[0] ?? '')
    if (endpoint === undefined) return false
    void answer(endpoint, request, response)
    return true
  }
}

async function answer(endpoint: HealthEndpoint, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, body } = await endpoint()
  const text = Buffer.from(JSON.stringify(body))
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': text.length,
    'cache-control': 'no-store',
  })
  response.end(request.method === 'HEAD' ? undefined : text)
}
