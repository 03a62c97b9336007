import type { RevisionedStore } from '@tributary/store'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { demandOf } from '../../domain/config-requests.js'
import { personLabel } from '../../domain/person-label.js'
import { failure } from '../../errors.js'
import type { ConfigPassThrough, PassedRequest } from '../../ports/config-pass-through.js'
import type { Caller } from '../caller.js'
import { requirePermission, subjectOfTenant } from '../plugins/authenticate.js'
import type { TypedApp } from '../route-deps.js'

/** As large as a request to the config center may be. */
const MAX_BODY_BYTES = 1024 * 1024
const PREFIX = '/v1/config'
/** Of the request; cookies, and what speaks for another person, stay here. */
const PASSED_HEADERS = ['accept', 'content-type', 'if-match', 'if-none-match', 'last-event-id', 'user-agent'] as const

/** What the pass-through works with. */
export interface ConfigRouteDeps {
  readonly config: ConfigPassThrough
  readonly store: RevisionedStore
  /** Aborts when the server closes, so that streams end. */
  readonly closing: AbortSignal
}

/**
 * `/v1/config/*`: the config center's own API at this origin, with the caller's rights (docs/adr/0015). Path, query and body are passed on
 * as they are, answers and their errors too; a stream is passed on as one.
 */
export async function configRoutes(app: TypedApp, deps: ConfigRouteDeps): Promise<void> {
  await app.register(async (scope: FastifyInstance) => {
    // What the body is, is the config center's business.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES }, (_request, body, done) =>
      done(null, body),
    )
    scope.route({
      method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      url: `${PREFIX}/*`,
      exposeHeadRoute: false,
      bodyLimit: MAX_BODY_BYTES,
      config: { callers: 'authenticated' },
      schema: {
        summary: 'The config center’s API (see its own description), below this prefix instead of /v1',
        description:
          'With a bearer token it is that token’s call; with a session it is checked against the person’s role.',
      },
      handler: async (request, reply) => {
        const gone = new AbortController()
        reply.raw.once('close', () => gone.abort())
        const passed = await authorized(request, deps)
        const signal = AbortSignal.any([gone.signal, deps.closing])
        const { status, headers, body } = await deps.config.forward({ ...passed, signal })
        reply.raw.once('close', () => body.destroy())
        // An answer without a body, as "not modified" is: a browser asks with the etag that it has.
        if (status === 204 || status === 304) {
          body.resume()
          return reply.status(status).headers(headers).send()
        }
        return reply.status(status).headers(headers).send(body)
      },
    })
  })
}

/** A person whom a provider vouches for is checked here; whoever has a token is checked by the config center. */
async function authorized(request: FastifyRequest, { store }: ConfigRouteDeps): Promise<Omit<PassedRequest, 'signal'>> {
  const { caller, method } = request
  const body = Buffer.isBuffer(request.body) ? request.body : undefined
  const target = `/v1${request.url.slice(PREFIX.length)}`
  const path = pathOf(target)
  if (caller !== null && caller.token === undefined) {
    await requireDemand(store, caller, { method, path, body: parsed(body) })
  }
  return {
    method,
    target,
    headers: passedHeaders(request),
    body,
    token: caller?.token,
    person: caller !== null && caller.token === undefined ? personLabel(caller) : undefined,
  }
}

async function requireDemand(
  store: RevisionedStore,
  caller: Caller,
  request: Parameters<typeof demandOf>[0],
): Promise<void> {
  const { permission, tenants } = demandOf(request)
  if (tenants.length === 0) requirePermission(caller, permission, 'shared')
  for (const tenant of tenants) requirePermission(caller, permission, await subjectOfTenant(store, tenant))
}

/** The path must be what the config center will see: one with `..` in it would be checked as one thing and be another. */
function pathOf(target: string): string {
  const path = target.split('?', 1)[0] ?? ''
  if (new URL(target, 'http://config-center').pathname === path) return path
  throw failure(
    'ARGUMENT_INVALID',
    'The path of the request is not in its normal form; send it without . and .. segments',
  )
}

function passedHeaders({ headers }: FastifyRequest): Record<string, string> {
  return Object.fromEntries(
    PASSED_HEADERS.flatMap((name) => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    }),
  )
}

function parsed(body: Buffer | undefined): unknown {
  try {
    return body === undefined ? undefined : JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
