import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeRuntime, until } from '../testing/fake-runtime.test-support.js'
import type { ProgramConfig } from './environment-variables.js'
import { runProgram, type ProgramOptions } from './run-program.js'

/** Appends what it sees to a file, then lives until it is told to end; SIGTERM is answered with status 7. */
const PROGRAM = `
const { appendFileSync } = require('node:fs')
const say = (text) => appendFileSync(process.env.OUT, text + '\\n')
process.on('SIGHUP', () => say('hup'))
process.on('SIGTERM', () => { say('term'); process.exit(7) })
process.on('SIGINT', () => { say('int'); process.exit(8) })
say('start ' + process.env.CONFIG_PAGE_SIZE + ' ' + process.env.ORDERS_URL + ' ' + process.pid)
setInterval(() => {}, 1000)
`

let folder = ''
let out = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-exec-'))
  out = join(folder, 'out')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function fakeSource(first: ProgramConfig): { source: ProgramOptions['source']; change: (next: ProgramConfig) => void } {
  let current = first
  const handlers = new Set<() => void>()
  return {
    source: {
      current: () => current,
      onChange: (handler) => {
        handlers.add(handler)
        return () => handlers.delete(handler)
      },
    },
    change: (next) => {
      current = next
      for (const handler of handlers) handler()
    },
  }
}

const config = (pageSize: number): ProgramConfig => ({
  config: { pageSize },
  services: {
    orders: { state: 'own', endpoints: [{ name: 'http', protocol: 'http', host: '127.0.0.1', port: 4711 }] },
  },
})

function start(overrides: Partial<ProgramOptions> & Pick<ProgramOptions, 'source'>) {
  const { runtime, sendSignal } = fakeRuntime({ cwd: folder, env: { ...process.env, OUT: out } })
  const status = runProgram({
    runtime,
    command: process.execPath,
    args: ['-e', PROGRAM],
    envPrefix: 'CONFIG_',
    onChange: 'restart',
    debounceMs: 5,
    graceMs: 5_000,
    note: () => {},
    ...overrides,
  })
  return { status, sendSignal }
}

const lines = async (): Promise<string[]> =>
  (await readFile(out, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '')

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('runProgram', () => {
  it('gives the program config and addresses, forwards a signal and passes the status through', async () => {
    const { source } = fakeSource(config(20))
    const { status, sendSignal } = start({ source })
    await until(async () => (await lines()).length === 1)
    expect((await lines())[0]).toMatch(/^start 20 http:\/\/127\.0\.0\.1:4711 \d+$/)
    sendSignal('SIGINT')
    expect(await status).toBe(8)
    expect((await lines())[1]).toBe('int')
  })

  it('does not start the program when it is told to end before', async () => {
    const { source } = fakeSource(config(20))
    const { status, sendSignal } = start({ source, configFile: join(folder, 'config.json') })
    sendSignal('SIGTERM')
    expect(await status).toBe(143)
    expect(await lines()).toEqual([])
  })

  it('tells the program of a signal that comes while it is being started', async () => {
    const { source } = fakeSource(config(20))
    const fake = fakeRuntime({ cwd: folder })
    // The environment is read at the last moment before the program is started.
    const runtime = Object.defineProperty({ ...fake.runtime }, 'env', {
      get: () => {
        fake.sendSignal('SIGTERM')
        return { PATH: process.env['PATH'] }
      },
    })
    const { status } = start({ source, runtime, args: ['-e', 'setInterval(() => {}, 1000)'] })
    expect(await status).toBe(143)
  })

  it('restarts the program with the new values, and not when nothing has changed for it', async () => {
    const { source, change } = fakeSource(config(20))
    const { status, sendSignal } = start({ source })
    await until(async () => (await lines()).length === 1)
    change(config(20))
    change(config(50))
    await until(async () => (await lines()).length === 3)
    const [first, ended, second] = await lines()
    expect(ended).toBe('term')
    expect(second).toMatch(/^start 50 /)
    expect(alive(Number(first?.split(' ')[3]))).toBe(false)
    sendSignal('SIGTERM')
    expect(await status).toBe(7)
    expect(await lines()).toHaveLength(4)
  })

  it('writes the file before it signals the program, which only its owner can read', async () => {
    const { source, change } = fakeSource(config(20))
    const configFile = join(folder, 'private', 'config.json')
    const { status, sendSignal } = start({ source, configFile, onChange: 'SIGHUP' })
    await until(async () => (await lines()).length === 1)
    expect((await stat(configFile)).mode & 0o777).toBe(0o600)
    change(config(50))
    await until(async () => (await lines()).includes('hup'))
    expect(JSON.parse(await readFile(configFile, 'utf8'))).toEqual({ pageSize: 50 })
    sendSignal('SIGTERM')
    expect(await status).toBe(7)
  })

  it('keeps the program on its last good config when the new one cannot be told as variables', async () => {
    const { source, change } = fakeSource(config(20))
    const notes: string[] = []
    const { status, sendSignal } = start({ source, note: (text) => notes.push(text) })
    await until(async () => (await lines()).length === 1)
    change({ ...config(50), config: { pageSize: 50, page_size: 51 } })
    await until(() => notes.length > 0)
    expect(notes[0]).toContain('CONFIG_PAGE_SIZE')
    expect(await lines()).toHaveLength(1)
    sendSignal('SIGTERM')
    expect(await status).toBe(7)
  })

  it('leaves nothing of the process group behind when the program ends before its own children', async () => {
    const { source } = fakeSource(config(20))
    const program = `
const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
require('node:fs').writeFileSync(process.env.OUT, String(child.pid))
process.exit(3)`
    const { status } = start({ source, args: ['-e', program] })
    expect(await status).toBe(3)
    const pid = Number(await readFile(out, 'utf8'))
    expect(await isGoneOrZombie(pid)).toBe(true)
  })

  it('says that a program does not exist', async () => {
    const { source } = fakeSource(config(20))
    const { status } = start({ source, command: 'no-such-program-here', args: [] })
    await expect(status).rejects.toMatchObject({ code: 'CLI_COMMAND_NOT_FOUND' })
  })
})

/** Where nobody reaps orphans a killed process stays as a zombie: it runs nothing. */
async function isGoneOrZombie(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return status === undefined ? !alive(pid) : / Z /.test(status)
}
