import type { IncomingHttpHeaders } from 'node:http'
import { PROBE_HEADER } from '@tributary/contract/light'
import { parseBaggage, TENANT_MEMBER } from '../context/baggage.js'
import { traceIdOf } from './trace-id.js'

const PLACE = Symbol('tributary.place')

/** A request as node's server has it. */
export interface ArrivedRequest {
  readonly headers: IncomingHttpHeaders
  /** Where it stands among those not taken yet. */
  [PLACE]?: number
}

/** The response to it; true when nothing more will be written. */
export interface ArrivedResponse {
  readonly writableEnded: boolean
  readonly destroyed: boolean
}

interface Arrival {
  readonly request: ArrivedRequest
  readonly response: ArrivedResponse
}

/** Beyond it, requests that were answered without having been taken are let go of. */
const MIN_SWEEP = 100

/**
 * Requests that bear a tenant and that no middleware has taken yet. One that stays here while the program works on it is served without its
 * context: the middleware is missing, or stands behind the handler.
 */
export class UnservedRequests {
  // A list with places instead of a set: nearly every request comes and goes at once, and hashing it would cost more than all the rest.
  readonly #arrivals: Arrival[] = []
  #sweepAt = MIN_SWEEP

  /** A request has come in. */
  add(request: ArrivedRequest, response: ArrivedResponse): void {
    const { baggage, [PROBE_HEADER]: probe } = request.headers
    if (typeof baggage !== 'string' || probe !== undefined || !baggage.includes(TENANT_MEMBER)) return
    if (this.#arrivals.length >= this.#sweepAt) {
      this.#removeAnswered()
      this.#sweepAt = Math.max(MIN_SWEEP, 2 * this.#arrivals.length)
    }
    request[PLACE] = this.#arrivals.length
    this.#arrivals.push({ request, response })
  }

  /** It has been taken by the middleware. */
  remove(request: ArrivedRequest): void {
    const place = request[PLACE]
    if (place === undefined || this.#arrivals[place]?.request !== request) return
    const last = this.#arrivals.pop()
    if (last === undefined || last.request === request) return
    last.request[PLACE] = place
    this.#arrivals[place] = last
  }

  /** The tenants that are named by those still there; of one trace, if one is given. */
  tenants(traceId?: string): ReadonlySet<string> {
    this.#removeAnswered()
    const tenants = new Set<string>()
    for (const { request } of this.#arrivals) {
      const { headers } = request
      if (traceId !== undefined && traceIdOf(headers['traceparent']) !== traceId) continue
      const tenant = parseBaggage(textOf(headers['baggage'])).members.find(({ key }) => key === TENANT_MEMBER)?.value
      if (tenant !== undefined) tenants.add(tenant)
    }
    return tenants
  }

  #removeAnswered(): void {
    for (const { request, response } of this.#arrivals.toReversed()) {
      if (response.writableEnded || response.destroyed) this.remove(request)
    }
  }
}

function textOf(value: string | string[] | undefined): string {
  return value === undefined ? '' : Array.isArray(value) ? value.join(',') : value
}
