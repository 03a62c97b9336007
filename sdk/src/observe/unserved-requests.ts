import type { IncomingHttpHeaders } from 'node:http'
import { PROBE_HEADER } from '@tributary/contract'
import { parseBaggage, TENANT_MEMBER } from '../context/baggage.js'
import { traceIdOf } from './trace-id.js'

/** A request as node's server has it. */
export interface ArrivedRequest {
  readonly headers: IncomingHttpHeaders
}

/** The response to it; true when nothing more will be written. */
export interface ArrivedResponse {
  readonly writableEnded: boolean
  readonly destroyed: boolean
}

/** Beyond it, requests that ended without being finished are looked for. */
const MAX_REQUESTS = 1_000

/**
 * Requests that bear a tenant and that no middleware has taken yet. One that stays here while the program works on it is served without its
 * context: the middleware is missing, or stands behind the handler.
 */
export class UnservedRequests {
  readonly #requests = new Map<ArrivedRequest, ArrivedResponse>()

  /** A request has come in. */
  add(request: ArrivedRequest, response: ArrivedResponse): void {
    const { baggage, [PROBE_HEADER]: probe } = request.headers
    if (typeof baggage !== 'string' || probe !== undefined || !baggage.includes(TENANT_MEMBER)) return
    this.#requests.set(request, response)
    if (this.#requests.size > MAX_REQUESTS) this.#removeEnded()
  }

  /** It has been taken by the middleware, or answered. */
  remove(request: ArrivedRequest): void {
    this.#requests.delete(request)
  }

  /** The tenants that are named by those still there; of one trace, if one is given. */
  tenants(traceId?: string): ReadonlySet<string> {
    this.#removeEnded()
    const tenants = new Set<string>()
    for (const { headers } of this.#requests.keys()) {
      if (traceId !== undefined && traceIdOf(headers['traceparent']) !== traceId) continue
      const tenant = parseBaggage(textOf(headers['baggage'])).members.find(({ key }) => key === TENANT_MEMBER)?.value
      if (tenant !== undefined) tenants.add(tenant)
    }
    return tenants
  }

  #removeEnded(): void {
    for (const [request, response] of this.#requests) {
      if (response.writableEnded || response.destroyed) this.#requests.delete(request)
    }
  }
}

function textOf(value: string | string[] | undefined): string {
  return value === undefined ? '' : Array.isArray(value) ? value.join(',') : value
}
