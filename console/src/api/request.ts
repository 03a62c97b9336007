import { signal } from '@preact/signals'
import { noteAnswer, noteUnreachable } from '../data/connection.js'
import { ApiFailure, failureOf } from './api-failure.js'

/** What a write by cookie must carry (docs/adr/0015); empty until somebody has signed in. */
export const csrfToken = signal('')
/** Counts answers of 401: whoever shows the page asks for a sign-in when it grows. */
export const signedOut = signal(0)

/** One call. `path` starts with `/v1/`. */
export interface Call {
  readonly method?: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE'
  readonly path: string
  /** Members that are undefined are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly body?: unknown
  readonly signal?: AbortSignal
}

/**
 * Calls the API on the page's own origin and answers the body. It is the API's contract that says what `T` is: the server checks its
 * answers in its own tests.
 * @throws ApiFailure with the server's code, or `UNREACHABLE`.
 */
export async function request<T>(call: Call): Promise<T> {
  const response = await send(call)
  noteAnswer(response.status)
  const body = jsonOf(await textOf(response, call.signal))
  if (response.ok) return body as T
  if (response.status === 401) signedOut.value += 1
  throw failureOf(response.status, body)
}

async function send({ method = 'GET', path, query, body, signal: aborted }: Call): Promise<Response> {
  const headers = new Headers({ accept: 'application/json' })
  if (body !== undefined) headers.set('content-type', 'application/json')
  if (method !== 'GET' && csrfToken.value !== '') headers.set('x-tributary-csrf', csrfToken.value)
  try {
    return await fetch(urlOf(path, query), {
      method,
      headers,
      credentials: 'same-origin',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(aborted === undefined ? {} : { signal: aborted }),
    })
  } catch (cause) {
    if (aborted?.aborted === true) throw cause
    noteUnreachable()
    throw new ApiFailure('The API does not answer', { status: 0, code: 'UNREACHABLE' })
  }
}

/** The whole body: one that was broken off is no answer, whatever its status said. */
async function textOf(response: Response, aborted: AbortSignal | undefined): Promise<string> {
  try {
    return await response.text()
  } catch (cause) {
    if (aborted?.aborted === true) throw cause
    noteUnreachable()
    throw new ApiFailure('The API’s answer was cut off', { status: 0, code: 'UNREACHABLE' })
  }
}

/** Undefined for none, and for what is not JSON: the page of a proxy. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A path with its query; names and values are escaped. */
export function urlOf(path: string, query: Call['query'] = {}): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
  const text = search.toString()
  return text === '' ? path : `${path}?${text}`
}
