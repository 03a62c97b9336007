import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseContextKeys } from '@tributary/contract/context-token'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseToken } from '../tokens/token-text.js'
import { readBootstrapConfig } from './config.js'
import { makeSecret } from './make-secret.js'

interface Posted {
  readonly url: string | undefined
  readonly body: { metadata: object; stringData: Record<string, string> }
}

let server: Server
let folder: string
let status: number
let posted: Posted[]
let env: Record<string, string>

beforeEach(async () => {
  status = 201
  posted = []
  folder = await mkdtemp(join(tmpdir(), 'tributary-bootstrap-'))
  await writeFile(join(folder, 'token'), 'own')
  server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    request.once('end', () => {
      posted.push({ url: request.url, body: JSON.parse(text) as Posted['body'] })
      response.writeHead(status).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  env = {
    TRIBUTARY_KUBERNETES_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    TRIBUTARY_KUBERNETES_TOKEN_FILE: join(folder, 'token'),
    TRIBUTARY_BOOTSTRAP_NAMESPACE: 'tributary',
    TRIBUTARY_BOOTSTRAP_SECRET: 'tributary-bootstrap',
    TRIBUTARY_BOOTSTRAP_LABELS: 'a/b=c,d=e',
  }
})

afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true, force: true })
})

describe('the bootstrap', () => {
  it('makes a Secret with an admin token and a context key', async () => {
    expect(await makeSecret(readBootstrapConfig(env))).toBe('made')
    const [{ url, body } = { url: '', body: { metadata: {}, stringData: {} as Record<string, string> } }] = posted
    expect(url).toBe('/api/v1/namespaces/tributary/secrets')
    expect(body.metadata).toEqual({ name: 'tributary-bootstrap', labels: { 'a/b': 'c', d: 'e' } })
    expect(parseToken(body.stringData['admin-token'] ?? '')).toBeDefined()
    expect(parseContextKeys(body.stringData['context-key'] ?? '')).toBeDefined()
  })

  it('leaves one that is there as it is', async () => {
    status = 409
    expect(await makeSecret(readBootstrapConfig(env))).toBe('there')
  })

  it('says what it lacks, and nothing of what it made', async () => {
    status = 403
    const error = await makeSecret(readBootstrapConfig(env)).catch((caught: unknown) => caught)
    expect(error).toMatchObject({
      code: 'BOOTSTRAP_FAILED',
      message: expect.stringContaining('allow its ServiceAccount'),
    })
    expect(String(error)).not.toContain('trb_')
  })

  it('is refused names that would lead elsewhere', () => {
    const wrong = { ...env, TRIBUTARY_BOOTSTRAP_NAMESPACE: 'a/b', TRIBUTARY_BOOTSTRAP_SECRET: '' }
    expect(() => readBootstrapConfig(wrong)).toThrow(/TRIBUTARY_BOOTSTRAP_NAMESPACE.*TRIBUTARY_BOOTSTRAP_SECRET/)
  })
})
