import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { failure } from '../../errors.js'
import { strictObject, type TypedApp } from '../route-deps.js'

const ENTRY = 'index.html'
/** Vite puts a hash of the content into these names, so what stands under one never changes. */
const HASHED = 'assets/'
const YEAR_SECONDS = 31_536_000
const open = { callers: 'open' } as const

/** The console's files under `/console/`, as they lie in `directory`; `/` leads there. */
export async function consoleRoutes(app: TypedApp, directory: string): Promise<void> {
  // The routes are our own, so that each says who may call it and how long it may be kept.
  await app.register(fastifyStatic, { root: directory, serve: false, cacheControl: false, dotfiles: 'deny' })
  for (const url of ['/', '/console']) {
    app.get(url, { config: open, schema: { hide: true } }, async (_request, reply) => reply.redirect('/console/'))
  }
  app.get(
    '/console/*',
    { config: open, schema: { hide: true, params: strictObject({ '*': Type.String() }) } },
    async ({ params, url }, reply) => {
      if (!existsSync(join(directory, ENTRY))) return sendNotBuilt(reply)
      const path = isFile(params['*']) ? params['*'] : ENTRY
      if (!isThere(directory, path)) {
        throw failure('ROUTE_NOT_FOUND', `GET ${pathOf(url)} does not exist; the console is at /console/`)
      }
      return reply.header('cache-control', keptFor(path)).sendFile(path)
    },
  )
}

/** Everything else is a place within the application, which its own script finds the way to. */
function isFile(path: string): boolean {
  return path.startsWith(HASHED) || path.slice(path.lastIndexOf('/') + 1).includes('.')
}

/** A link from within to outside, or a hidden file, is none of the console's files. */
function isThere(directory: string, path: string): boolean {
  const hidden = path.split(/[/\\]/).some((name) => name.startsWith('.') || name.includes('\0'))
  if (hidden) return false
  try {
    return statSync(join(directory, path)).isFile()
  } catch {
    // Not there, or a name that no file system takes.
    return false
  }
}

function keptFor(path: string): string {
  return path.startsWith(HASHED) ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache'
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url
}

function sendNotBuilt(reply: FastifyReply): FastifyReply {
  return reply.status(503).header('cache-control', 'no-store').type('text/html; charset=utf-8').send(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>The console is not built</title>
<h1>The console is not built</h1>
<p>This env-manager runs, but there are no files of its console. Build them in the repository of Tributary with <code>npm run build -w console</code>, then load this page again.</p>
<p>The API works: see <a href="/openapi.json">its description</a>. So does the command line: <code>tributary env list</code>.</p>
</html>
`)
}
