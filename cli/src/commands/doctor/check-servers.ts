import type { Clock } from '@tributary/kit'
import { failed, ok, skipped, warning, type Finding } from './finding.js'

/** A server that is asked how it is. */
export interface AskedServer {
  /** `config center`, `env-manager`. */
  readonly name: string
  /** Undefined: nobody says where it is. */
  readonly url: string | undefined
  /** The roles that a token needs to be of use here. */
  readonly token: string | undefined
}

/** What servers are asked with. */
export interface Asking {
  readonly fetch: typeof fetch
  readonly clock: Clock
  readonly signal: AbortSignal
}

interface Answer {
  readonly status: number
  readonly body: unknown
  /** Local milliseconds minus the server's; undefined when it names no date. */
  readonly skewMs: number | undefined
}

const TIMEOUT_MS = 5_000
/** `Date` is in whole seconds, and the answer took a moment. */
const GOOD_SKEW_MS = 3_000
/** From here on signed callback URLs and tokens of short life are refused. */
const BAD_SKEW_MS = 60_000

/** Whether a server answers, is ready, knows the token, and has the same time as we. */
export async function checkServer(server: AskedServer, asking: Asking): Promise<readonly Finding[]> {
  const { name, url } = server
  if (url === undefined) return [skipped(name, 'no flag, variable or .tributary folder says where it is')]
  const answer = await ask(`${url}/readyz`, asking)
  if (typeof answer === 'string') {
    return [
      failed(
        name,
        `${url} does not answer (${answer})`,
        'start it with `tributary up`, or name its address with --url and --env-manager-url',
      ),
    ]
  }
  return [readiness(server, url, answer), ...(await tokenFindings(server, url, asking)), clockFinding(name, answer)]
}

/** `/readyz` of the config center and of the env-manager says whether the store is there; so this is the check of the store too. */
function readiness({ name }: AskedServer, url: string, { status, body }: Answer): Finding {
  if (status === 200) return ok(name, `${url} is ready`)
  const code = codeOf(body)
  if (code === 'NOT_LEADER') return warning(name, `${url} is a standby`, 'ask the leader; a Service leads to it')
  if (status === 404)
    return failed(name, `${url} is no server of Tributary`, 'check the address and what stands before it')
  const advice = name === 'config center' ? 'its store does not answer; look at it and at the log' : 'look at its log'
  return failed(name, `${url} is not ready: ${messageOf(body) ?? `status ${status}`}`, advice)
}

async function tokenFindings({ name, token }: AskedServer, url: string, asking: Asking): Promise<readonly Finding[]> {
  if (name !== 'config center') return []
  const check = 'token'
  const advice = 'name a token with --token-file or TRIBUTARY_TOKEN'
  if (token === undefined) return [warning(check, 'there is none', advice)]
  const answer = await ask(`${url}/v1/tokens/self`, asking, token)
  if (typeof answer === 'string') return [warning(check, `it could not be asked whose it is (${answer})`, 'try again')]
  if (answer.status === 401) return [failed(check, messageOf(answer.body) ?? 'it is not accepted', advice)]
  const { body } = answer
  const role = typeof body === 'object' && body !== null && 'role' in body ? String(body.role) : undefined
  if (answer.status !== 200 || role === undefined) return [warning(check, `status ${answer.status}`, 'try again')]
  return [ok(check, `its role is ${role}`)]
}

function clockFinding(name: string, { skewMs }: Answer): Finding {
  const check = `clock of the ${name}`
  if (skewMs === undefined) return warning(check, 'its answers have no date', 'something between us takes it away')
  const seconds = Math.round(Math.abs(skewMs) / 1_000)
  const advice = 'let both machines keep the time, e.g. by chrony'
  if (Math.abs(skewMs) <= GOOD_SKEW_MS) return ok(check, 'is right')
  const found = `${seconds} s ${skewMs > 0 ? 'behind' : 'ahead of'} this machine's`
  return Math.abs(skewMs) < BAD_SKEW_MS ? warning(check, found, advice) : failed(check, found, advice)
}

async function ask(url: string, { fetch, clock, signal }: Asking, token?: string): Promise<Answer | string> {
  try {
    const startedAt = clock.now()
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const response = await fetch(url, { headers, signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) })
    const middle = (startedAt + clock.now()) / 2
    const text = await response.text()
    const date = Date.parse(response.headers.get('date') ?? '')
    return { status: response.status, body: parse(text), skewMs: Number.isNaN(date) ? undefined : middle - date }
  } catch (error) {
    signal.throwIfAborted()
    return reasonOf(error)
  }
}

function reasonOf(error: unknown): string {
  const inner = error instanceof Error ? (error.cause ?? error) : error
  if (inner instanceof Error && 'code' in inner && typeof inner.code === 'string') return inner.code
  return inner instanceof Error ? inner.message : String(inner)
}

function errorOf(body: unknown): { readonly code?: unknown; readonly message?: unknown } | undefined {
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined
  return typeof error === 'object' && error !== null ? error : undefined
}

function codeOf(body: unknown): string | undefined {
  const code = errorOf(body)?.code
  return typeof code === 'string' ? code : undefined
}

function messageOf(body: unknown): string | undefined {
  const message = errorOf(body)?.message
  return typeof message === 'string' ? message : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
