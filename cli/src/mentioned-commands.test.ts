import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { expect, it } from 'vitest'
import { createCli } from './context.js'
import { buildProgram } from './program.js'
import { fakeRuntime } from './testing/fake-runtime.test-support.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDERS = ['cli/src', 'docs', 'packages', 'sdk', 'services']
const MENTION = /`tributary ([^`\\]+)\\?`/g

/** Commands that texts for people tell them to type, with the files that do so. */
async function mentions(): Promise<readonly { readonly file: string; readonly words: readonly string[] }[]> {
  const lists = await Promise.all(FOLDERS.map(async (folder) => filesBelow(join(ROOT, folder))))
  const files = [...lists.flat(), join(ROOT, 'README.md')]
  const found = await Promise.all(
    files.map(async (file) =>
      [...(await readFile(file, 'utf8')).matchAll(MENTION)].map(([, text = '']) => ({ file, words: text.split(' ') })),
    ),
  )
  return found.flat()
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true })
  return entries
    .filter((name) => /\.(ts|md)$/.test(name) && !/(^|\/)(node_modules|dist)\//.test(name) && !name.includes('.test'))
    .map((name) => join(folder, name))
}

/** Why nobody can type this; undefined when they can. A group alone, or with `…`, stands for its commands. */
function problemOf(program: Command, words: readonly string[]): string | undefined {
  const [first = '', second = '…'] = words
  if (first === '…') return undefined
  const command = program.commands.find((one) => one.name() === first)
  if (command === undefined) return `there is no command ${first}`
  if (command.commands.length === 0 || second === '…') return undefined
  return command.commands.some((one) => one.name() === second) ? undefined : `${first} has no command ${second}`
}

it('every command that a message or a document tells people to type exists', async () => {
  const program = buildProgram(createCli(fakeRuntime().runtime, () => {}))
  const found = await mentions()
  expect(found.length).toBeGreaterThan(40)
  const wrong = found.flatMap(({ file, words }) => {
    const problem = problemOf(program, words)
    return problem === undefined ? [] : [`${file.slice(ROOT.length)}: tributary ${words.join(' ')}: ${problem}`]
  })
  expect(wrong).toEqual([])
})
