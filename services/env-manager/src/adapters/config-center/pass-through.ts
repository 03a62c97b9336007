import { encodeOnBehalfOf, ON_BEHALF_OF_HEADER } from '@tributary/contract'
import { request, type Dispatcher } from 'undici'
import { failure } from '../../errors.js'
import type { ConfigPassThrough, PassedAnswer, PassedRequest } from '../../ports/config-pass-through.js'

/** A write may wait for subscribers, and a poll for news. */
const HEADERS_TIMEOUT_MS = 180_000
/** Of the answer; all else, as connection and cookies, is between the config center and this process. */
const PASSED_HEADERS = [
  'content-type',
  'content-length',
  'content-encoding',
  'etag',
  'cache-control',
  'retry-after',
  'x-accel-buffering',
]

/** Speaks HTTP with the config center at `url`. `token` is the env-manager's own, for people who have none. */
export function createConfigPassThrough({
  url,
  token,
}: {
  readonly url: string
  readonly token: string | (() => string)
}): ConfigPassThrough {
  return {
    async forward(given) {
      const { method, target, body, signal } = given
      try {
        const answer = await request(new URL(target, url), {
          method: methodOf(method),
          headers: headersOf(given, typeof token === 'string' ? token : token()),
          body: body ?? null,
          signal,
          headersTimeout: HEADERS_TIMEOUT_MS,
          // A stream may be silent for as long as it likes: it has heartbeats of its own, and ends with its client.
          bodyTimeout: 0,
        })
        return { status: answer.statusCode, headers: passedHeaders(answer.headers), body: answer.body }
      } catch (cause) {
        signal.throwIfAborted()
        throw failure(
          'CONFIG_CENTER_UNREACHABLE',
          `${method} ${pathOf(target)}: the config center does not answer; try again`,
          {
            cause,
          },
        )
      }
    },
  }
}

function headersOf({ headers, token, person }: PassedRequest, own: string): Record<string, string> {
  const onBehalfOf = person === undefined ? {} : { [ON_BEHALF_OF_HEADER]: encodeOnBehalfOf(person) }
  return { ...headers, ...onBehalfOf, authorization: `Bearer ${token ?? own}` }
}

function passedHeaders(headers: Dispatcher.ResponseData['headers']): PassedAnswer['headers'] {
  return Object.fromEntries(
    PASSED_HEADERS.flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )
}

function methodOf(method: string): Dispatcher.HttpMethod {
  const known = (['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).find((one) => one === method)
  if (known !== undefined) return known
  throw failure('ROUTE_NOT_FOUND', `${method} is no method of the config center`)
}

function pathOf(target: string): string {
  return target.split('?', 1)[0] ?? target
}
