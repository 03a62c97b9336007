import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ErrorBody, type CreatedToken, type TokenRole } from '@tributary/contract'
import { openEmbeddedStore, type RevisionedStore } from '@tributary/store'
import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { assembleConfigCenter, type ConfigCenterOptions } from '../start.js'

/** An answer with its body parsed. */
export interface Answer<T = unknown> {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: T
}

/** What a call says beside method and path. `token` null: none. Default: the admin's. */
export interface CallOptions {
  readonly body?: unknown
  readonly token?: string | null
  readonly headers?: Readonly<Record<string, string>>
}

interface TestCenterParts {
  readonly store: RevisionedStore
  readonly center: Awaited<ReturnType<typeof assembleConfigCenter>>
  readonly folder: string
  readonly ownsStore: boolean
}

/** The whole API on a real store in a temporary folder, without sockets. Every answer is checked against its schema. */
export class TestCenter {
  readonly store: RevisionedStore
  readonly center: Awaited<ReturnType<typeof assembleConfigCenter>>
  readonly folder: string
  readonly #ownsStore: boolean

  private constructor({ store, center, folder, ownsStore }: TestCenterParts) {
    this.store = store
    this.center = center
    this.folder = folder
    this.#ownsStore = ownsStore
  }

  static async start(options: Partial<ConfigCenterOptions> = {}): Promise<TestCenter> {
    const folder = await mkdtemp(join(tmpdir(), 'tributary-center-'))
    const store = options.store ?? (await openEmbeddedStore({ path: join(folder, 'store.db') }))
    const adminTokenFile = join(folder, 'admin.token')
    const center = await assembleConfigCenter({ adminTokenFile, ...options, store })
    center.app.addHook('preSerialization', async (request, reply, payload) => {
      checkAnswer(request.routeOptions.schema?.response, reply.statusCode, payload)
      return payload
    })
    return new TestCenter({ store, center, folder, ownsStore: options.store === undefined })
  }

  get adminToken(): string {
    return this.center.adminToken ?? ''
  }

  async call<T = unknown>(
    method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    options: CallOptions = {},
  ): Promise<Answer<T>> {
    const { body, token = this.adminToken } = options
    const response = await this.center.app.inject({
      method,
      url,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const parsed = response.payload === '' ? undefined : (JSON.parse(response.payload) as unknown)
    return { status: response.statusCode, headers: response.headers, body: parsed as T }
  }

  /** A call that must succeed. */
  async ok<T = unknown>(method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE', url: string, body?: unknown): Promise<T> {
    const answer = await this.call<T>(method, url, body === undefined ? {} : { body })
    if (answer.status >= 300) throw new Error(`${method} ${url}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  async token(role: TokenRole, tenant?: string): Promise<string> {
    const body = { name: `a ${role}`, role, ...(tenant === undefined ? {} : { tenant }) }
    return (await this.ok<CreatedToken>('POST', '/v1/tokens', body)).token
  }

  async close(): Promise<void> {
    await this.center.close()
    if (this.#ownsStore) await this.store.close()
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** The code of a failed answer. */
export function codeOf(answer: Answer): string | undefined {
  return Value.Check(ErrorBody, answer.body) ? answer.body.error.code : undefined
}

/** The details of a failed answer. */
export function detailsOf(answer: Answer): Readonly<Record<string, unknown>> {
  return Value.Check(ErrorBody, answer.body) ? answer.body.error.details : {}
}

function checkAnswer(response: unknown, status: number, payload: unknown): void {
  const schemas = response as Readonly<Record<string, TSchema>> | undefined
  const schema = schemas?.[status] ?? schemas?.[`${String(status)[0] ?? ''}xx`]
  if (schema === undefined || Value.Check(schema, payload)) return
  throw new Error(`Answer ${status} breaks its schema: ${JSON.stringify(Value.Errors(schema, payload))}`)
}
