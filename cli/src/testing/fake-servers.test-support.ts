import { fakeRuntime, type FakeRuntime } from './fake-runtime.test-support.js'
import type { CliRuntime } from '../runtime.js'
import { runCli } from '../program.js'

/** A request as a server saw it. */
export interface SeenRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly body: unknown
  readonly authorization: string | null
}

/** An answer: JSON with 200, or with a status, or the text of an event stream. */
export type FakeAnswer =
  | { readonly json: unknown; readonly status?: number }
  | { readonly events: readonly { readonly event: string; readonly data: unknown }[] }

/** By `METHOD /path?query`. */
export type FakeAnswers = Readonly<Record<string, FakeAnswer | (() => FakeAnswer)>>

/** Answers that move on by one with each request; the last one stays. */
export function inTurn(...answers: readonly FakeAnswer[]): () => FakeAnswer {
  const left = [...answers]
  return () => (left.length > 1 ? left.shift() : left[0]) ?? notFound('more')
}

/** What one command line printed and did. */
export interface CliResult {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  readonly requests: readonly SeenRequest[]
}

/** The instant that tests print ages against. */
export const NOW = Date.parse('2026-01-02T12:00:00.000Z')

/**
 * Runs one command line against servers that answer by `METHOD /path?query`. A request that nobody expected is answered with 404
 * `NOT_FOUND`, so that a wrong path fails the test.
 */
export async function runAgainst(
  answers: FakeAnswers,
  args: readonly string[],
  overrides: Partial<CliRuntime> = {},
): Promise<CliResult> {
  const requests: SeenRequest[] = []
  const fake = runtimeWith(answers, requests, overrides)
  const status = await runCli(args, fake.runtime)
  return { status, stdout: fake.stdout(), stderr: fake.stderr(), requests }
}

function runtimeWith(answers: FakeAnswers, requests: SeenRequest[], overrides: Partial<CliRuntime>): FakeRuntime {
  const clock = { now: () => NOW, monotonicMs: () => performance.now(), sleep: () => Promise.resolve() }
  return fakeRuntime({
    clock,
    env: { TRIBUTARY_URL: 'http://cc', TRIBUTARY_ENV_MANAGER_URL: 'http://em', TRIBUTARY_TOKEN: 'trb_x_y' },
    fetch: async (input, init) => {
      const request = new Request(input, init)
      const { pathname, search } = new URL(request.url)
      const text = await request.text()
      requests.push({
        method: request.method,
        target: `${pathname}${search}`,
        body: text === '' ? undefined : JSON.parse(text),
        authorization: request.headers.get('authorization'),
      })
      const answer = answers[`${request.method} ${pathname}${search}`] ?? notFound(pathname)
      return toResponse(typeof answer === 'function' ? answer() : answer)
    },
    ...overrides,
  })
}

function toResponse(answer: FakeAnswer): Response {
  if ('json' in answer) return Response.json(answer.json, { status: answer.status ?? 200 })
  const text = answer.events.map(({ event, data }) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join('')
  return new Response(text, { headers: { 'content-type': 'text/event-stream' } })
}

function notFound(path: string): FakeAnswer {
  return { status: 404, json: errorBody('not_found', 'NOT_FOUND', `there is no ${path}`) }
}

/** The body of an error answer. */
export function errorBody(kind: string, code: string, message: string): object {
  return { error: { kind, code, message, retryable: false, details: {} } }
}
