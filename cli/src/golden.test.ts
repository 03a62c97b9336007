import { expect, it } from 'vitest'
import type { Command } from 'commander'
import { createCli } from './context.js'
import { buildProgram, runCli } from './program.js'
import { fakeRuntime } from './testing/fake-runtime.test-support.js'

/** Every command line that can be asked for help, groups too, in the order of the help. */
function paths(command: Command, before: readonly string[] = []): readonly (readonly string[])[] {
  return [before, ...command.commands.flatMap((child) => paths(child, [...before, child.name()]))]
}

async function run(args: readonly string[]): Promise<string> {
  const fake = fakeRuntime()
  const status = await runCli(args, fake.runtime)
  return `$ tributary ${args.join(' ')}\n${fake.stdout()}${fake.stderr()}(exit status ${status})\n`
}

it('the help of every command is what the file says; `--update` writes it', async () => {
  const program = buildProgram(createCli(fakeRuntime().runtime))
  const texts = await Promise.all(paths(program).map((path) => run([...path, '--help'])))
  expect(texts.length).toBeGreaterThan(60)
  // Who has a terminal of the usual width must not have to read broken lines.
  expect(texts.flatMap((text) => text.split('\n')).filter((line) => line.length > 80)).toEqual([])
  await expect(texts.join('\n')).toMatchFileSnapshot('golden/help.txt')
})

it('errors of use and of connections are what the file says; `--update` writes it', async () => {
  const wrong = [
    ['nonsense'],
    ['env', 'lsit'],
    ['env', 'show'],
    ['env', 'list', '--jsn'],
    ['env', 'show', 'x', '--output', 'xml'],
    ['env', 'wait', 'x', '--timeout', 'soon'],
    ['env', 'extend', 'x', 'forever'],
    ['runs', 'list', '--limit', '0'],
    ['completion', 'powershell'],
    ['tokens', 'create', 'ci', '--role', 'king'],
    ['env', 'list'],
    ['env', 'list', '--env-manager-url', 'ftp://x'],
    ['env', 'list', '--env-manager-url', 'http://127.0.0.1:9', '--token-file', '/no/such/token'],
    ['up', '--config', '/no/such/file.yaml'],
  ]
  const texts = await Promise.all(wrong.map(run))
  await expect(texts.join('\n')).toMatchFileSnapshot('golden/errors.txt')
})
