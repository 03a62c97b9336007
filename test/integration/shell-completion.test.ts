import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { describeWithServer, ensureBuilt } from '@tributary/testkit'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { SCRIPT, TerminalSession } from '../support/pty.js'

const TAB = '\t'
const CTRL_U = '\u0015'
let folder: string
let terminal: TerminalSession | undefined

beforeAll(async () => {
  const cli = path.join(await ensureBuilt('cli'), 'bin/tributary.mjs')
  folder = await mkdtemp(path.join(tmpdir(), 'tributary-shells-'))
  await mkdir(path.join(folder, 'bin'))
  const program = path.join(folder, 'bin/tributary')
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`)
  await chmod(program, 0o755)
  await writeFile(path.join(folder, 'some-file'), '')
})

afterEach(async () => {
  await terminal?.close()
  terminal = undefined
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const environment = (): Record<string, string> => ({
  PATH: `${path.join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
  HOME: folder,
  ZDOTDIR: folder,
  LC_ALL: 'C.UTF-8',
})

/** Starts a shell that reads its own file at the start, as a person's does, and waits for its prompt. */
async function openShell(command: readonly string[], file: string, lines: readonly string[]): Promise<TerminalSession> {
  await writeFile(path.join(folder, file), lines.map((line) => `${line}\n`).join(''))
  terminal = TerminalSession.start({ command, cwd: folder, env: environment() })
  await terminal.sees(/ready> /)
  return terminal
}

async function expectCompletion(shell: TerminalSession): Promise<void> {
  shell.types(`tributary env w${TAB}`)
  await shell.sees(/wait[^]*wake/)
  shell.types(`${CTRL_U}tributary config import x some-f${TAB}`)
  await shell.sees(/some-file/)
}

describeWithServer('completion in bash', SCRIPT, () => {
  it('offers the words of the command line at the Tab key, and files where there are none', async () => {
    const lines = ["PS1='ready> '", "bind 'set show-all-if-ambiguous on'", 'source <(tributary completion bash)']
    await expectCompletion(await openShell(['bash', '--noprofile', '--rcfile', '.bashrc', '-i'], '.bashrc', lines))
  })
})

describeWithServer('completion in zsh', { command: 'zsh', debianPackage: 'zsh' }, () => {
  it('offers the words of the command line at the Tab key, and files where there are none', async () => {
    const lines = [
      "PROMPT='ready> '",
      'setopt no_list_ambiguous',
      'autoload -U compinit && compinit -u -d .zcompdump',
      'source <(tributary completion zsh)',
    ]
    await expectCompletion(await openShell(['zsh', '--no-globalrcs', '-i'], '.zshrc', lines))
  })
})

describeWithServer('completion in fish', { command: 'fish', debianPackage: 'fish' }, () => {
  const offers = async (line: string): Promise<string[]> => {
    const command = `source (tributary completion fish | psub); complete --do-complete '${line}'`
    const { stdout } = await promisify(execFile)('fish', ['--no-config', '--command', command], {
      cwd: folder,
      env: environment(),
    })
    return stdout.split('\n').filter((one) => one !== '')
  }

  it('offers the words of the command line with what they are for, and files where there are none', async () => {
    expect(await offers('tributary env w')).toEqual([
      expect.stringMatching(/^wait\treturn when the environment is ready/),
      expect.stringMatching(/^wake\tstart the services of a sleeping environment/),
    ])
    expect(await offers('tributary config import x some-f')).toEqual(['some-file'])
  })
})
