import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Pod {
  readonly namespace: string
  readonly name: string
}

/** Answers TokenReview and namespace list and watch as an API server does, with the faults that a test asks for. */
export class FakeApiServer {
  readonly namespaces = new Map<string, Readonly<Record<string, string>>>()
  /** Bound pods of the tokens that it knows. */
  readonly tokens = new Map<string, Pod>()
  readonly watches = new Set<ServerResponse>()
  readonly reviewed: string[] = []
  lists = 0
  /** Status for every request instead of an answer. */
  status: number | undefined
  /** What callers must prove themselves with. */
  password = 'first'
  audiences = ['tributary']
  extra: ((pod: Pod) => Readonly<Record<string, string[]>>) | undefined
  #revision = 1
  #server: Server | undefined
  #port = 0
  #folder = ''

  async start(): Promise<void> {
    this.#folder ||= await mkdtemp(join(tmpdir(), 'tributary-api-'))
    await this.rotate(this.password)
    const server = createServer((request, response) => void this.#answer(request, response))
    this.#server = server
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve))
    const address = server.address()
    if (typeof address === 'object' && address !== null) this.#port = address.port
  }

  /** Refuses connections, as when it is down. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve))
    this.#server?.closeAllConnections()
    await closed
  }

  async close(): Promise<void> {
    await this.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }

  get address(): { url: string; tokenFile: string } {
    return { url: `http://127.0.0.1:${this.#port}`, tokenFile: join(this.#folder, 'token') }
  }

  async rotate(password: string): Promise<void> {
    this.password = password
    await writeFile(join(this.#folder, 'token'), password)
  }

  /** Makes or labels a namespace; undefined deletes it. Watches are told. */
  put(name: string, labels: Readonly<Record<string, string>> | undefined): void {
    const before = this.namespaces.get(name)
    if (labels === undefined) this.namespaces.delete(name)
    else this.namespaces.set(name, labels)
    this.#revision += 1
    const isSelected = (each: typeof labels): boolean => each?.['tributary.dev/instance'] === 'main'
    if (!isSelected(before) && !isSelected(labels)) return
    const type = isSelected(labels) ? (isSelected(before) ? 'MODIFIED' : 'ADDED') : 'DELETED'
    this.tell({ type, object: this.#object(name, labels ?? before ?? {}) })
  }

  tell(event: object): void {
    for (const watch of this.watches) watch.write(`${JSON.stringify(event)}\n`)
  }

  /** Ends all watches without a word. */
  cutWatches(): void {
    for (const watch of this.watches) watch.destroy()
  }

  #object(name: string, labels: Readonly<Record<string, string>>): object {
    return { metadata: { name, labels, resourceVersion: String(this.#revision) } }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://api')
    const body = await readBody(request)
    const status = request.headers.authorization === `Bearer ${this.password}` ? this.status : 401
    if (status !== undefined) return void response.writeHead(status).end('{}')
    if (request.method === 'POST') return this.#review(body, response)
    if (url.searchParams.has('watch')) return this.#watch(response)
    this.#list(url, response)
  }

  #review(body: string, response: ServerResponse): void {
    const { spec } = JSON.parse(body) as { spec: { token: string } }
    this.reviewed.push(spec.token)
    const pod = this.tokens.get(spec.token)
    const extra = this.extra ?? podExtra
    const status =
      pod === undefined
        ? { error: 'unknown' }
        : {
            authenticated: true,
            audiences: this.audiences,
            user: { username: `system:serviceaccount:${pod.namespace}:default`, extra: extra(pod) },
          }
    response.writeHead(201).end(JSON.stringify({ status }))
  }

  #list(url: URL, response: ServerResponse): void {
    this.lists += 1
    const [, name] = /^metadata\.name=(.*)$/.exec(url.searchParams.get('fieldSelector') ?? '') ?? []
    const items = [...this.namespaces]
      .filter(([each, labels]) => (name ?? each) === each && labels['tributary.dev/instance'] === 'main')
      .map(([each, labels]) => this.#object(each, labels))
    response.writeHead(200).end(JSON.stringify({ metadata: { resourceVersion: String(this.#revision) }, items }))
  }

  #watch(response: ServerResponse): void {
    response.writeHead(200)
    response.flushHeaders()
    this.watches.add(response)
    response.once('close', () => this.watches.delete(response))
  }
}

function podExtra({ name }: Pod): Readonly<Record<string, string[]>> {
  return {
    'authentication.kubernetes.io/pod-name': [name],
    'authentication.kubernetes.io/pod-uid': [`uid-of-${name}`],
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}
