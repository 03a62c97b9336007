import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import path from 'node:path'
import type { Answers } from './scripted-api.js'
import { STATIC_TABLE } from './static-table.js'

/** The policy that the env-manager sends: what the page costs under a weaker one would say nothing. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

/** The console's files, a static table at `/static`, and scripted answers on a free port of loopback. */
export interface ScriptedServer {
  readonly url: string
  readonly close: () => Promise<void>
}

/** Serves the built console from `directory`; streams stay open and tell nothing. */
export async function startScriptedServer(directory: string, answers: Answers): Promise<ScriptedServer> {
  const server = createServer((request, response) => void answer(request, response, { directory, answers }))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the scripted server does not listen')
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { directory, answers }: { readonly directory: string; readonly answers: Answers },
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost')
  if (pathname.endsWith('/stream') || pathname === '/v1/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    return
  }
  if (pathname === '/static') {
    response.writeHead(200, { 'content-type': TYPES['.html'], 'content-security-policy': POLICY }).end(STATIC_TABLE)
    return
  }
  if (pathname.startsWith('/console/')) {
    await sendFile(
      response,
      path.join(directory, pathname === '/console/' ? 'index.html' : pathname.slice('/console/'.length)),
    )
    return
  }
  const body = answers[pathname]
  const failure = {
    error: { kind: 'not_found', code: 'NOT_SCRIPTED', message: pathname, retryable: false, details: {} },
  }
  response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body ?? failure))
}

async function sendFile(response: ServerResponse, file: string): Promise<void> {
  const content = await readFile(file).catch(() => undefined)
  response.writeHead(content === undefined ? 404 : 200, {
    'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream',
    'content-security-policy': POLICY,
  })
  response.end(content)
}
