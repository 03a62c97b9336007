import { randomBytes } from 'node:crypto'
import { LATENCY_BUCKETS_MS } from '@tributary/contract'
import type { PlatformFixture } from './platform.js'

/** In one transaction of the config center. */
const MOST_CHANGES = 40

/** Registers services of `tenant` as their own deployment would; nobody answers there. */
export async function registerServices(
  platform: PlatformFixture,
  tenant: string,
  services: readonly string[],
): Promise<void> {
  const endpoints = [{ name: 'http', protocol: 'http' as const, host: '127.0.0.1', port: 9 }]
  for (let first = 0; first < services.length; first += MOST_CHANGES) {
    const changes = services
      .slice(first, first + MOST_CHANGES)
      .map((service) => ({ op: 'apply-entry' as const, tenant, service, spec: { endpoints } }))
    await platform.configCenter.transact({ changes })
  }
}

/** Calls that a service of a tenant says it has made for requests of `environment`. */
export interface SeenCalls {
  readonly tenant: string
  readonly from: string
  readonly environment: string
  readonly to: readonly string[]
}

/** Reports calls as the SDK in a running service does: over a subscription of that service. */
export async function reportCalls(
  platform: PlatformFixture,
  { tenant, from, environment, to }: SeenCalls,
): Promise<void> {
  const ending = new AbortController()
  try {
    const subscriptionId = await subscribe(platform, { tenant, service: from, signal: ending.signal })
    const latency = [...LATENCY_BUCKETS_MS.map(() => 0), 0]
    latency[3] = 10
    await platform.configCenter.reportCalls(subscriptionId, {
      reporter: randomBytes(16).toString('hex'),
      sequence: 1,
      calls: to.map((service) => ({ tenant: environment, to: service, calls: 10, errors: 0, latency })),
      leaks: [],
      refusedContexts: {},
      uncounted: 0,
    })
  } finally {
    ending.abort()
  }
}

interface Subscriber {
  readonly tenant: string
  readonly service: string
  readonly signal: AbortSignal
}

async function subscribe(
  { access: { configCenterUrl, token } }: PlatformFixture,
  { tenant, service, signal }: Subscriber,
): Promise<string> {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${configCenterUrl}/v1/tenants/${tenant}/stream?service=${service}`, { headers, signal })
  // Not a loop over the body: leaving it would end the stream, and with it the subscription.
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (let chunk = await reader?.read(); chunk?.done === false; chunk = await reader?.read()) {
    text += chunk.value
    const [, id] = /"subscriptionId":"([^"]+)"/.exec(text) ?? []
    if (id !== undefined) return id
  }
  throw new Error(`the stream of ${tenant}/${service} says no subscription: ${response.status} ${text.slice(0, 500)}`)
}
