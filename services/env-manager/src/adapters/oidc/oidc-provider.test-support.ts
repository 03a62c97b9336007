import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider, type Configuration } from 'oidc-provider'

/** What the provider says of a person. */
export type TestPerson = Readonly<Record<string, unknown>>

/** How the provider is set up. */
export interface TestProviderOptions {
  readonly redirectUri: string
  /** By the name that a person signs in with. */
  readonly people: Readonly<Record<string, TestPerson>>
  /** Absent: the client is public. */
  readonly clientSecret?: string
}

/** A real OpenID provider (the library `oidc-provider`) on a socket of this machine, and somebody who uses a browser. */
export class TestProvider {
  readonly issuer: string
  /** Who there is, by the name that they sign in with. What changes here the provider says from then on. */
  readonly people: Record<string, TestPerson>
  readonly #server: Server

  private constructor(server: Server, issuer: string, people: Record<string, TestPerson>) {
    this.#server = server
    this.issuer = issuer
    this.people = people
  }

  static async start(options: TestProviderOptions): Promise<TestProvider> {
    const server = createServer()
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const people = { ...options.people }
    const provider = new Provider(issuer, configurationOf({ ...options, people }))
    server.on('request', provider.callback())
    return new TestProvider(server, issuer, people)
  }

  /** Goes where `url` leads, signs in as `login` and agrees; resolves to the address that the provider sends the browser back to. */
  async signIn(url: URL, login: string, { decline = false } = {}): Promise<URL> {
    const jar = new Map<string, string>()
    let next = { url, body: undefined as URLSearchParams | undefined }
    for (let steps = 0; steps < 20; steps += 1) {
      if (next.url.origin !== this.issuer) return next.url
      const response = await this.#go(next.url, { jar, body: next.body })
      const location = response.headers.get('location')
      if (location !== null) next = { url: new URL(location, next.url), body: undefined }
      else next = answerForm(await response.text(), next.url, { login, decline })
    }
    throw new Error(`the provider never sent ${login} back; the last step was ${next.url.pathname}`)
  }

  async #go(
    url: URL,
    given: { readonly jar: Map<string, string>; readonly body: URLSearchParams | undefined },
  ): Promise<Response> {
    const { jar, body } = given
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const init = { redirect: 'manual', headers: { cookie } } as const
    const response = await fetch(url, body === undefined ? init : { ...init, method: 'POST', body })
    for (const one of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(one) ?? []
      jar.set(name, value)
    }
    return response
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

function configurationOf({ redirectUri, people, clientSecret }: TestProviderOptions): Configuration {
  return {
    clients: [
      {
        client_id: 'tributary',
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        ...(clientSecret === undefined
          ? { token_endpoint_auth_method: 'none' as const }
          : { client_secret: clientSecret }),
      },
    ],
    claims: { openid: ['sub'], profile: ['name'], groups: ['groups'] },
    pkce: { required: () => true },
    cookies: { keys: ['test'] },
    findAccount: (_context, sub) =>
      Object.hasOwn(people, sub) ? { accountId: sub, claims: () => ({ sub, ...people[sub] }) } : undefined,
    ttl: {
      Session: 600,
      Interaction: 600,
      Grant: 600,
      AccessToken: 600,
      IdToken: 600,
      AuthorizationCode: 60,
      RefreshToken: 600,
    },
  }
}

/** Fills in the provider's own form: who it is, then that they agree; or says no. */
function answerForm(
  page: string,
  url: URL,
  { login, decline }: { readonly login: string; readonly decline: boolean },
): { readonly url: URL; readonly body: URLSearchParams | undefined } {
  const action = /<form[^>]*action="([^"]+)"/.exec(page)?.[1]
  const prompt = /name="prompt" value="([a-z]+)"/.exec(page)?.[1]
  if (action === undefined || prompt === undefined) throw new Error(`the provider shows no form: ${page.slice(0, 300)}`)
  const abort = /href="([^"]*\/abort)"/.exec(page)?.[1]
  if (decline && abort !== undefined) return { url: new URL(abort, url), body: undefined }
  const body = new URLSearchParams(prompt === 'login' ? { prompt, login, password: 'any' } : { prompt })
  return { url: new URL(action, url), body }
}
