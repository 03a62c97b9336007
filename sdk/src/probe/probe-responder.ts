import { get, type Agent, type IncomingHttpHeaders } from 'node:http'
import type { ProbeAnswer, ProbeHop } from '@tributary/contract'
import { verifyContext, type ContextKeys } from '@tributary/contract/context-token'
import { MAX_PROBE_HOPS, PROBE_HEADER, PROBE_PATH_HEADER } from '@tributary/contract/light'
import type { Clock } from '@tributary/kit'
import { currentContext } from '../context/routing-context.js'
import { messageOf } from '../diagnostics.js'
import { readText } from '../http/transport.js'
import { createAgents } from '../outgoing/node-agents.js'
import type { Tributary } from '../tributary.js'
import { isProbeAnswer, isServiceName } from '../wire/wire-guards.js'

/** What of a response is needed to answer a probe: node:http's and node:http2's both have it. */
export interface ProbeResponse {
  writeHead(status: number, headers: Record<string, string>): unknown
  end(body: string): unknown
}

/** What a {@link ProbeResponder} needs. */
export interface ProbeResponderOptions {
  readonly client: Tributary
  /** Undefined: no probe can be verified, so none is answered. */
  readonly keys: ContextKeys | undefined
  readonly clock: Clock
}

/** A hop waits longer than all those behind it together, so that the answer says where it ended. */
const TIMEOUT_PER_HOP_MS = 2_000
const MAX_ANSWER_BYTES = 64 * 1024
const MAX_ERROR_CHARS = 300

/**
 * Answers probes: says which copy this is and whose request it took the probe for, and passes it on to the next service of its path. Only
 * probes with a token of the platform count; the header of anybody else is an ordinary header. A probe visits at most 8 services, each
 * with a shorter path, so that it ends whatever the services call.
 */
export class ProbeResponder {
  readonly #options: ProbeResponderOptions
  #agent: Agent | undefined

  constructor(options: ProbeResponderOptions) {
    this.#options = options
  }

  /** True when the request is a probe: then it is answered here, and no code of the program's is to run for it. */
  answers(headers: IncomingHttpHeaders, response: ProbeResponse): boolean {
    const token = headers[PROBE_HEADER]
    if (typeof token !== 'string' || !this.#isGenuine(token)) return false
    const path = pathOf(headers[PROBE_PATH_HEADER])
    void this.#respond(token, path, response)
    return true
  }

  /** Ends the connections to other services. */
  close(): void {
    this.#agent?.destroy()
  }

  #isGenuine(token: string): boolean {
    const { keys, clock } = this.#options
    return keys !== undefined && verifyContext(keys, token, { purpose: 'probe', nowMs: clock.now() }).state === 'valid'
  }

  async #respond(token: string, path: readonly string[], response: ProbeResponse): Promise<void> {
    const answer = await this.#answer(token, path)
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(JSON.stringify(answer))
  }

  async #answer(token: string, [to, ...rest]: readonly string[]): Promise<ProbeAnswer> {
    const { client } = this.#options
    const { tenant, origin } = currentContext()
    return {
      service: client.service ?? '',
      tenant: client.tenant,
      instance: client.instance,
      contextTenant: origin === 'request' ? (tenant ?? null) : null,
      next: to === undefined ? null : await this.#passOn(token, to, rest),
    }
  }

  async #passOn(token: string, to: string, rest: readonly string[]): Promise<ProbeHop> {
    const { owner } = this.#options.client.resolve(to)
    try {
      return { to, owner, answer: await this.#call(token, to, rest), error: null }
    } catch (error) {
      return { to, owner, answer: null, error: messageOf(error).slice(0, MAX_ERROR_CHARS) }
    }
  }

  async #call(token: string, to: string, rest: readonly string[]): Promise<ProbeAnswer> {
    // The agent is what programs call with: it resolves, and carries the context, as for any other request.
    this.#agent ??= createAgents(this.#options.client).httpAgent
    const signal = AbortSignal.timeout(TIMEOUT_PER_HOP_MS * (rest.length + 1))
    const headers = { [PROBE_HEADER]: token, [PROBE_PATH_HEADER]: rest.join(',') }
    const text = await fetchText(`http://${to}/`, { agent: this.#agent, headers, signal })
    const answer = readAnswer(text)
    if (answer !== undefined) return answer
    throw new Error(
      `${to} answered with something else: its middleware does not know probes, or stands behind other handlers`,
    )
  }
}

function fetchText(
  url: string,
  options: { readonly agent: Agent; readonly headers: Record<string, string>; readonly signal: AbortSignal },
): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, options, (response) => void readText(response, MAX_ANSWER_BYTES).then(resolve, reject)).once(
      'error',
      reject,
    )
  })
}

function pathOf(header: string | string[] | undefined): readonly string[] {
  if (typeof header !== 'string') return []
  return header
    .split(',', MAX_PROBE_HOPS)
    .map((name) => name.trim())
    .filter((name) => isServiceName(name))
}

function readAnswer(text: string): ProbeAnswer | undefined {
  try {
    return checkedAnswer(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** Every level is checked; one that cannot be read makes the whole answer unreadable. */
function checkedAnswer(value: unknown): ProbeAnswer | undefined {
  if (!isProbeAnswer(value)) return undefined
  const { service, tenant, instance, contextTenant, next } = value
  const own = { service, tenant, instance, contextTenant }
  if (next === null) return { ...own, next: null }
  const answer = next.answer === null ? null : checkedAnswer(next.answer)
  return answer === undefined
    ? undefined
    : { ...own, next: { to: next.to, owner: next.owner, error: next.error, answer } }
}
