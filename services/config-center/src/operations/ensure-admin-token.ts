import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createToken } from './create-token.js'
import type { OperationContext } from './operation-context.js'

const OWNER_ONLY = 0o600

/**
 * Makes sure that `file` holds an admin token that works, and returns it. A token that is there and works is kept; otherwise a new one
 * is made and written for the file's owner alone, in one step, so that a crash leaves no half of it.
 */
export async function ensureAdminToken(context: OperationContext, file: string): Promise<string> {
  const present = (await readIfPresent(file))?.trim()
  if (present !== undefined && isAdmin(context, present)) return present
  const { token } = await createToken(context, { name: 'bootstrap', role: 'admin' }, undefined)
  await writePrivately(file, `${token}\n`)
  return token
}

function isAdmin(context: OperationContext, token: string): boolean {
  return context.tokens.authenticate(token, context.clock.now())?.role === 'admin'
}

async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

async function writePrivately(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}.tmp`
  // A draft of an earlier crash may have other permissions: `mode` counts only for a file that is made.
  await rm(draft, { force: true })
  await writeFile(draft, text, { mode: OWNER_ONLY, flag: 'wx', flush: true })
  await rename(draft, file)
}
