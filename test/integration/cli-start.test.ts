import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { ensureBuilt } from '@tributary/testkit'
import { beforeAll, expect, it } from 'vitest'
import { ROOT } from '../support/platform.js'

const run = promisify(execFile)

/** Prints the address of every ES module that is loaded. */
const HOOKS = `
  import { writeSync } from 'node:fs'
  export async function load(url, context, next) {
    writeSync(2, 'loads ' + url + '\\n')
    return next(url, context)
  }`
const REGISTER = `import { register } from 'node:module'; register(${JSON.stringify(dataUrl(HOOKS))})`

beforeAll(async () => {
  await ensureBuilt('cli')
}, 180_000)

it('a command of the CLI loads neither the servers nor what only they need', async () => {
  const program = path.join(ROOT, 'cli/bin/tributary.mjs')
  const { stdout, stderr } = await run(process.execPath, [
    '--import',
    dataUrl(REGISTER),
    program,
    'env',
    'list',
    '--help',
  ])
  expect(stdout).toContain('tributary env list')
  const loaded = stderr.split('\n').filter((line) => line.startsWith('loads '))
  expect(loaded.some((line) => line.includes('/cli/dist/'))).toBe(true)
  expect(loaded.filter((line) => /\/services\/|\/packages\/store\/|\/node_modules\/typebox\//.test(line))).toEqual([])
})

function dataUrl(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`
}
