import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { resolveConnection } from './context.js'
import { contextPath, writeContextFile } from './context-file.js'
import { fakeRuntime } from './testing/fake-runtime.test-support.js'

let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-context-'))
  const data = join(folder, '.tributary')
  await mkdir(join(folder, 'deep', 'inside'), { recursive: true })
  await mkdir(data)
  await writeFile(join(data, 'admin.token'), 'trb_a_secret\n', { mode: 0o600 })
  await writeContextFile(data, {
    url: 'http://127.0.0.1:1',
    envManagerUrl: 'http://127.0.0.1:2',
    gatewayUrl: 'http://127.0.0.1:3',
    tokenFile: join(data, 'admin.token'),
  })
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const connect = (flags: object, env: Record<string, string> = {}, cwd = join(folder, 'deep', 'inside')) =>
  resolveConnection(fakeRuntime({ cwd, env }).runtime, flags)

describe('resolveConnection', () => {
  it('finds what `up` wrote in a folder above', async () => {
    expect(await connect({})).toEqual({
      url: 'http://127.0.0.1:1',
      envManagerUrl: 'http://127.0.0.1:2',
      token: 'trb_a_secret',
    })
  })

  it('takes a flag before a variable before the context file', async () => {
    const env = { TRIBUTARY_URL: 'http://variable', TRIBUTARY_TOKEN: 'from-variable' }
    expect(await connect({}, env)).toMatchObject({ url: 'http://variable', token: 'from-variable' })
    expect(await connect({ url: 'http://flag' }, env)).toMatchObject({ url: 'http://flag', token: 'from-variable' })
  })

  it('never sends the token of a context file to a server that was named in another way', async () => {
    expect((await connect({ url: 'http://elsewhere' })).token).toBeUndefined()
    expect((await connect({}, { TRIBUTARY_URL: 'http://elsewhere' })).token).toBeUndefined()
    expect((await connect({ envManagerUrl: 'http://elsewhere' })).token).toBeUndefined()
    expect((await connect({}, { TRIBUTARY_ENV_MANAGER_URL: 'http://elsewhere' })).token).toBeUndefined()
  })

  it('knows no server where nobody said one', async () => {
    expect(await connect({}, {}, '/')).toEqual({ url: undefined, envManagerUrl: undefined, token: undefined })
  })

  it('refuses an empty token file and a context file that is damaged', async () => {
    await writeFile(join(folder, 'empty'), '\n')
    await expect(connect({ tokenFile: join(folder, 'empty') })).rejects.toMatchObject({ code: 'CLI_NO_TOKEN' })
    await writeFile(contextPath(join(folder, '.tributary')), '{"url": 1}')
    await expect(connect({})).rejects.toMatchObject({ code: 'CLI_BAD_CONTEXT' })
  })

  it.runIf(process.getuid?.() === 0)('refuses a context file of another user', async () => {
    const { chown } = await import('node:fs/promises')
    await chown(contextPath(join(folder, '.tributary')), 12_345, 12_345)
    await expect(connect({})).rejects.toMatchObject({ code: 'CLI_UNTRUSTED_CONTEXT' })
  })
})

it('writeContextFile makes a file that only its owner can read, over one that others could', async () => {
  const data = join(folder, '.tributary')
  await chmod(contextPath(data), 0o644)
  await writeContextFile(data, { url: 'a', envManagerUrl: 'b', gatewayUrl: 'c', tokenFile: 'd' })
  expect((await stat(contextPath(data))).mode & 0o777).toBe(0o600)
})
