import { existsSync } from 'node:fs'
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parsePlatformConfig, parseServiceFile } from '@tributary/env-manager'
import { describeWithServer, ensureBuilt } from '@tributary/testkit'
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { SCRIPT, TerminalSession } from '../support/pty.js'

const ENTER = '\r'
const CTRL_C = '\u0003'
/** Takes the proposal out of the line. */
const CTRL_U = '\u0015'

describeWithServer('tributary init in a terminal', SCRIPT, () => {
  let cli: string
  let folder: string
  let terminal: TerminalSession | undefined

  beforeAll(async () => {
    cli = path.join(await ensureBuilt('cli'), 'bin/tributary.mjs')
  })

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(path.join(tmpdir(), 'tributary-init-')))
    await put('package.json', '{ "name": "@shop/orders", "scripts": { "start": "node server.js" } }')
  })

  afterEach(async () => {
    await terminal?.close()
    terminal = undefined
    await rm(folder, { recursive: true })
  })

  const put = (name: string, text: string) => writeFile(path.join(folder, name), text)
  const read = (name: string) => readFile(path.join(folder, name), 'utf8')
  const start = (...args: readonly string[]): TerminalSession => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder }
    terminal = TerminalSession.start({ command: [process.execPath, cli, 'init', ...args], cwd: folder, env })
    return terminal
  }
  const answer = async (on: TerminalSession, question: RegExp, text = '') => {
    await on.sees(question)
    on.types(text === '' ? ENTER : `${CTRL_U}${text}${ENTER}`)
  }

  it('asks with what it has found as proposals, does not go on with a wrong answer, and writes what was said', async () => {
    const session = start()
    await answer(session, /What is the service called\?[^?]*orders/)
    await answer(session, /Which port does it listen on\?[^?]*8080/, '99999')
    await answer(session, /A number from 1 to 65535\./, '3000')
    await answer(session, /Which command starts it here\?[^?]*npm start/)
    await answer(session, /Which path answers 200/, 'readyz')
    await answer(session, /A path like \/readyz\./, '/readyz')
    await answer(session, /Which services does it call\?/, 'inventory, Pay_ments')
    await answer(session, /Lower-case letters, digits and - only/, 'inventory, payments')
    await session.sees(/Which git repository is it in\?/)
    session.types(ENTER)
    await answer(session, /Something is needed here\./, 'https://git.example.org/shop.git')
    await answer(session, /Which branch does everybody fall back to\?[^?]*main/, 'develop')
    await session.sees(
      /wrote service\.yaml\s+wrote tributary\.config\.yaml\s+Commit and push service\.yaml, then: tributary up/,
    )
    expect(await session.ended()).toBe(0)
    expect(parseServiceFile('service.yaml', await read('service.yaml')).services[0]?.definition).toMatchObject({
      name: 'orders',
      ports: [{ name: 'http', protocol: 'http', port: 3000 }],
      dependsOn: ['inventory', 'payments'],
      health: { readiness: '/readyz' },
      run: { local: { command: 'npm start' } },
    })
    const platform = parsePlatformConfig('p.yaml', await read('tributary.config.yaml'))
    expect('config' in platform && platform.config.repositories).toEqual([
      { name: 'shop', url: 'https://git.example.org/shop.git', integrationBranch: 'develop' },
    ])
  })

  it('writes nothing when it is ended in the middle, and says how to go on', async () => {
    const session = start()
    await answer(session, /What is the service called\?/)
    await session.sees(/Which port/)
    session.types(CTRL_C)
    await session.sees(/Nothing was written\./)
    await session.sees(/error: the questions were not answered; run it again, or give options\s+with --yes/)
    expect(await session.ended()).toBe(130)
    expect(['service.yaml', 'tributary.config.yaml'].filter((name) => existsSync(path.join(folder, name)))).toEqual([])
  })

  it('asks only for what is not there yet, and leaves the rest', async () => {
    await put('service.yaml', 'mine')
    const session = start()
    await session.sees(/service\.yaml is there already and stays as it is; --force writes over it/)
    await answer(session, /Which git repository is it in\?/, '/srv/git/shop.git')
    await answer(session, /Which branch does everybody fall back to\?/)
    expect(await session.ended()).toBe(0)
    expect(await read('service.yaml')).toBe('mine')
    expect(await read('tributary.config.yaml')).toContain('url: /srv/git/shop.git')
    expect(session.screen).not.toContain('What is the service called')
  })

  it('asks nothing when there is nothing to write', async () => {
    await put('service.yaml', 'mine')
    await put('tributary.config.yaml', 'mine too')
    const session = start()
    await session.sees(/service\.yaml is there already and stays/)
    await session.sees(/tributary\.config\.yaml is there already and stays/)
    expect(await session.ended()).toBe(0)
    expect([await read('service.yaml'), await read('tributary.config.yaml')]).toEqual(['mine', 'mine too'])
  })
})
