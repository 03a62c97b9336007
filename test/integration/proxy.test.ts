import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, request as startRequest, type IncomingMessage, type Server } from 'node:http'
import { connect as openSocket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { createConfigCenterClient, type ConfigCenterClient } from '@tributary/client'
import { startConfigCenter, type ConfigCenter } from '@tributary/config-center'
import { openEmbeddedStore, type RevisionedStore } from '@tributary/store'
import { ensureBuilt, freePort } from '@tributary/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { waitFor } from '../support/wait-for.js'

const ROOT = path.resolve(import.meta.dirname, '../..')
const CLI = path.join(ROOT, 'cli/bin/tributary.mjs')
const EXAMPLES = path.join(ROOT, 'examples/other-languages')

/** An example program: how it is started, what must be there for it, and its source in the guide. */
const PROGRAMS = [
  { language: 'python', needs: 'python3', source: 'python/payments.py', command: ['python3', 'python/payments.py'] },
  { language: 'java', needs: 'java', source: 'java/Payments.java', command: ['java', 'java/Payments.java'] },
  { language: 'go', needs: 'go', source: 'go/payments.go', command: ['go', 'run', 'go/payments.go'] },
] as const

interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: IncomingMessage['headers']
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function isInstalled(command: string): boolean {
  return spawnSync(command, [command === 'go' ? 'version' : '--version'], { stdio: 'ignore' }).status === 0
}

describe('tributary proxy', () => {
  let folder: string
  let store: RevisionedStore
  let center: ConfigCenter
  let admin: ConfigCenterClient
  let proxyPort: number
  let outsidePort: number
  const servers: Server[] = []
  const children: ChildProcess[] = []

  beforeAll(async () => {
    await ensureBuilt('cli')
    folder = await mkdtemp(path.join(tmpdir(), 'tributary-proxy-'))
    store = await openEmbeddedStore({ path: path.join(folder, 'store.db') })
    center = await startConfigCenter({ store, adminTokenFile: path.join(folder, 'admin.token') })
    admin = createConfigCenterClient({ baseUrl: center.url, token: center.adminToken ?? '' })
    await admin.applyTenant('integration', { base: null })
    for (const tenant of ['feature-x', 'feature-y']) await admin.applyTenant(tenant, {})
    for (const tenant of ['integration', 'feature-x', 'feature-y']) await serve(tenant, 'orders')
    await admin.maskEntry({ tenant: 'feature-y', service: 'mail' })
    outsidePort = await listen(echo('outside'))
    proxyPort = (await startProxy()).port
  })

  afterAll(async () => {
    for (const child of children) await end(child)
    for (const server of servers) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
    await center.close()
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })

  const startProxy = async (): Promise<{ readonly proxy: ChildProcess; readonly port: number }> => {
    const { token } = await admin.createToken({ name: 'proxy', role: 'tenant', tenant: 'integration' })
    const flags = ['--port', '0', '--service', 'payments', '--connect-ports', String(outsidePort)]
    const started = spawn(process.execPath, [CLI, 'proxy', ...flags], {
      env: {
        PATH: process.env['PATH'],
        TRIBUTARY_URL: center.url,
        TRIBUTARY_TOKEN: token,
        TRIBUTARY_TENANT: 'integration',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(started)
    let printed = ''
    started.stdout.on('data', (chunk) => (printed += String(chunk)))
    const port = await waitFor(
      'the proxy’s address',
      () => Number(/HTTP_PROXY=http:\/\/127\.0\.0\.1:(\d+)/.exec(printed)?.[1]) || false,
    )
    return { proxy: started, port }
  }

  const end = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await exited
  }

  /** Answers who it is and what it was sent. */
  const echo = (who: string): Server => {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { headers, method, url } = request
        response.setHeader('x-who', who)
        response.end(JSON.stringify({ who, method, url, headers, body: Buffer.concat(chunks).toString() }))
      })
    })
    servers.push(server)
    return server
  }

  const serve = async (tenant: string, service: string): Promise<void> => {
    const port = await listen(echo(tenant))
    await admin.applyEntry(
      { tenant, service },
      { endpoints: [{ name: 'http', protocol: 'http', host: '127.0.0.1', port }] },
    )
  }

  const ask = (url: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const call = startRequest(
        {
          host: '127.0.0.1',
          port: proxyPort,
          path: url,
          method: body === undefined ? 'GET' : 'POST',
          headers: { host: new URL(url, 'http://proxy').host, ...headers },
        },
        (response) => {
          let text = ''
          response.on('data', (chunk) => (text += String(chunk)))
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }))
        },
      )
      call.once('error', reject)
      call.end(body)
    })

  const whoAnswers = async (baggage?: string): Promise<string> => {
    const { text } = await ask('http://orders/callback', baggage === undefined ? {} : { baggage })
    return (JSON.parse(text) as { who: string }).who
  }

  it('leads a name to the copy that the request’s environment sees, and passes the whole request on', async () => {
    const baggage = 'user=7,tributary-tenant=feature-x'
    const { status, text, headers } = await ask(
      'http://orders/a/b?c=1',
      { baggage, 'x-keep': 'yes', 'proxy-authorization': 'Basic eDp5' },
      'hello',
    )
    const got = JSON.parse(text) as {
      who: string
      method: string
      url: string
      body: string
      headers: Record<string, string>
    }
    expect([status, got.who, got.method, got.url, got.body, headers['x-who']]).toEqual([
      200,
      'feature-x',
      'POST',
      '/a/b?c=1',
      'hello',
      'feature-x',
    ])
    expect(got.headers).toMatchObject({ baggage: 'tributary-tenant=feature-x,user=7', 'x-keep': 'yes' })
    expect(got.headers['proxy-authorization']).toBeUndefined()
  })

  it('never crosses interleaved environments', async () => {
    const tenants = Array.from({ length: 60 }, (_, index) => ['feature-x', 'feature-y', 'integration'][index % 3] ?? '')
    const who = await Promise.all(
      tenants.map((tenant) => whoAnswers(tenant === 'integration' ? undefined : `tributary-tenant=${tenant}`)),
    )
    expect(who).toEqual(tenants)
  })

  it('counts the calls and leaks of its service, by environment', async () => {
    await admin.applyEntry({ tenant: 'feature-y', service: 'payments' }, { endpoints: [] })
    const headers = { baggage: 'tributary-tenant=feature-y', 'tributary-caller': 'web' }
    for (const url of ['http://orders/one', 'http://orders/two']) await ask(url, headers)
    const { edges, leaks } = await waitFor('the calls of feature-y', async () => {
      const observed = await admin.getCalls('feature-y')
      return observed.leaks.length > 0 && observed
    })
    const [edge] = edges.filter(({ from }) => from === 'payments')
    expect(edge).toMatchObject({ to: 'orders', errors: 0 })
    expect(edge?.calls).toBeGreaterThanOrEqual(2)
    for (const leak of leaks) expect(leak).toMatchObject({ kind: 'misrouted', from: 'web', to: 'payments' })
    expect(leaks.map(({ route }) => route)).toContain('GET /one')
  })

  it.each([
    'tributary-tenant=ghost',
    'tributary-tenant=production',
    'tributary-tenant=feature-x,tributary-tenant=feature-y',
    '%%%',
  ])('takes %s for no environment', async (baggage) => expect(await whoAnswers(baggage)).toBe('integration'))

  it('keeps the environment from everybody outside, and other members as they were', async () => {
    const { text } = await ask(`http://127.0.0.1:${outsidePort}/`, { baggage: 'user=7,tributary-tenant=feature-x' })
    const { who, headers } = JSON.parse(text) as { who: string; headers: Record<string, string> }
    expect([who, headers['baggage']]).toEqual(['outside', 'user=7'])
    expect(JSON.stringify(headers)).not.toContain('feature-x')
  })

  it('passes CONNECT through unseen, to allowed ports only', async () => {
    const open = (authority: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = openSocket(proxyPort, '127.0.0.1')
        let text = ''
        socket.on('data', (chunk) => {
          text += String(chunk)
          if (text.endsWith('Established\r\n\r\n'))
            socket.write('GET / HTTP/1.1\r\nhost: outside\r\nconnection: close\r\n\r\n')
        })
        socket.once('error', reject)
        socket.once('close', () => resolve(text))
        socket.write(
          `CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\nbaggage: tributary-tenant=feature-x\r\n\r\n`,
        )
      })
    const through = await open(`127.0.0.1:${outsidePort}`)
    expect(through).toContain('"who":"outside"')
    expect(through).not.toContain('feature-x')
    expect(await open('127.0.0.1:22')).toMatch(/^HTTP\/1\.1 403 .*does not lead to 127\.0\.0\.1:22/s)
    expect(await open('orders:80')).toContain('"who":"feature-x"')
    expect(await open('nonsense')).toMatch(/^HTTP\/1\.1 400 /)
  })

  it('says why there is no answer', async () => {
    const masked = await ask('http://mail/', { baggage: 'tributary-tenant=feature-y' })
    expect([masked.status, masked.headers['x-tributary-error']]).toEqual([502, 'SERVICE_MASKED'])
    expect((await ask('/orders')).text).toContain('set HTTP_PROXY')
    const own = await ask(`http://127.0.0.1:${proxyPort}/healthz`)
    expect([own.status, own.text]).toEqual([200, 'ok\n'])
  })

  describe.each(PROGRAMS)('with the $language example', ({ needs, command: [program, ...args], source }) => {
    it('stands in the guide as it is tested', async () => {
      const guide = await readFile(path.join(ROOT, 'docs/guides/other-languages.md'), 'utf8')
      expect(guide).toContain(await readFile(path.join(EXAMPLES, source), 'utf8'))
    })

    it.skipIf(!isInstalled(needs))(`calls back in the request’s environment (needs ${needs})`, async () => {
      const port = await freePort()
      const url = `http://127.0.0.1:${proxyPort}`
      const env = { PATH: process.env['PATH'], HOME: folder, PORT: String(port), HTTP_PROXY: url, http_proxy: url }
      children.push(spawn(program, args, { cwd: EXAMPLES, env, stdio: 'ignore' }))
      const quote = async (baggage?: string) => {
        const answer = await fetch(`http://127.0.0.1:${port}/quote`, {
          headers: baggage === undefined ? {} : { baggage },
        })
        return ((await answer.json()) as { who: string }).who
      }
      await waitFor('the program to answer', async () => (await quote()) === 'integration', { timeoutMs: 60_000 })
      const tenants = ['feature-x', 'feature-y', 'feature-x', 'feature-y']
      expect(await Promise.all(tenants.map((tenant) => quote(`user=1,tributary-tenant=${tenant}`)))).toEqual(tenants)
    })
  })

  it('ends when it is told to', async () => {
    const { proxy } = await startProxy()
    await end(proxy)
    expect(proxy.exitCode).toBe(0)
    await expect(promisify(execFile)(process.execPath, [CLI, 'proxy', '--connect-ports', 'x'])).rejects.toMatchObject({
      code: 2,
    })
  })
})
