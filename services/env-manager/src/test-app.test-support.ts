import { Value } from 'typebox/value'
import { ErrorBody, type TokenInfo } from '@tributary/contract'
import { createConfigPassThrough } from './adapters/config-center/pass-through.js'
import { buildApp, type AppDeps } from './app.js'
import type { PlatformConfig } from './domain/platform-config.js'
import { definition, TestBench } from './reconcile/test-bench.test-support.js'
import type { TypedApp } from './http/route-deps.js'

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT'

/** What a request of a test says. */
export interface TestCall {
  readonly token?: string
  readonly cookie?: string
  readonly csrf?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object | string
}

/** What a test sees of an answer. */
export interface TestAnswer {
  readonly status: number
  readonly json: unknown
  readonly text: string
  /** The code of an error's body, else what the body is. */
  readonly code: string
  readonly headers: Readonly<Record<string, unknown>>
  /** `name=value` of the cookies that the answer sets. */
  readonly cookies: readonly string[]
}

/** The env-manager's server over a test bench with `integration` and `feature-x`, and four tokens named after their roles. */
export class TestApp {
  readonly tokens = new Map<string, TokenInfo['role']>([
    ['adm', 'admin'],
    ['dep', 'deployer'],
    ['view', 'viewer'],
    ['ten', 'tenant'],
  ])
  readonly bench: TestBench
  app: TypedApp

  private constructor(bench: TestBench, app: TypedApp) {
    this.bench = bench
    this.app = app
  }

  /** Opens both; `more` is added to what the app is made of. */
  static async open(config: Partial<PlatformConfig> = {}, more: Partial<AppDeps> = {}): Promise<TestApp> {
    const bench = await TestBench.open(config)
    bench.git.commit('shop', 'main', {
      'orders/service.yaml': definition('orders', 'dependsOn: [payments]\n'),
      'payments/service.yaml': definition('payments'),
    })
    bench.git.commit('shop', 'feature/x', { 'orders/a': '2' }, 'main')
    await bench.start()
    const self = new TestApp(bench, undefined as unknown as TypedApp)
    self.app = await self.build(more)
    await bench.settle()
    await bench.atRest(
      () => bench.phase('feature-x'),
      (phase) => phase === 'ready',
    )
    return self
  }

  /** Another server on the same store, as the next leader is. */
  async build(more: Partial<AppDeps> = {}): Promise<TypedApp> {
    const identify = async (token: string): Promise<TokenInfo | undefined> => {
      const role = this.tokens.get(token)
      const createdAt = '2026-01-01T00:00:00.000Z'
      return role === undefined ? undefined : { tokenId: token, name: `${role} token`, role, createdAt }
    }
    return buildApp({
      deps: this.bench.running,
      loop: this.bench.manager,
      callers: { identify },
      // Nobody listens there.
      configPassThrough: createConfigPassThrough({ url: 'http://127.0.0.1:9', token: 'none' }),
      ...more,
    })
  }

  async call(method: Method, url: string, given: TestCall = {}, app = this.app): Promise<TestAnswer> {
    const { token, cookie, csrf, body } = given
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(cookie === undefined ? {} : { cookie }),
      ...(csrf === undefined ? {} : { 'x-tributary-csrf': csrf }),
      ...given.headers,
    }
    const payload = body === undefined ? {} : { payload: body }
    const answer = await app.inject({ method, url, headers, ...payload })
    const isJson = String(answer.headers['content-type']).includes('json')
    const json: unknown = isJson && answer.body !== '' ? JSON.parse(answer.body) : null
    return {
      status: answer.statusCode,
      json,
      text: answer.body,
      code: Value.Check(ErrorBody, json) ? json.error.code : answer.body.slice(0, 200),
      headers: answer.headers,
      cookies: answer.cookies.map(({ name, value }) => `${name}=${value}`),
    }
  }

  async close(): Promise<void> {
    await this.app.close()
    await this.bench.close()
  }
}
