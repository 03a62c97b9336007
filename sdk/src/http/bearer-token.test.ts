import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@tributary/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connect } from '../connect.js'
import { FakeConfigCenter, servedAt } from '../fake-config-center.test-support.js'
import type { Tributary } from '../tributary.js'
import { TokenFile } from './bearer-token.js'

let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-token-'))
  file = join(folder, 'token')
})

afterEach(() => rm(folder, { recursive: true, force: true }))

/** In one step, as the kubelet does it. */
async function rotate(text: string): Promise<void> {
  await writeFile(`${file}.new`, text)
  await rename(`${file}.new`, file)
}

describe('a token file', () => {
  it('gives what it holds now, without blank space around it', async () => {
    const token = new TokenFile(file)
    await rotate('first\n')
    expect(token.current()).toBe('first')
    await rotate(' second')
    expect(token.current()).toBe('second')
  })

  it('gives the last good token while it is missing, empty or holds something else', async () => {
    const token = new TokenFile(file)
    await rotate('good')
    expect(token.refresh()).toBeUndefined()
    for (const text of ['', 'two\nlines']) {
      await rotate(text)
      expect([token.refresh(), token.current()]).toEqual(['holds no token', 'good'])
    }
    await rm(file)
    expect([token.refresh(), token.current()]).toEqual(['cannot be read', 'good'])
  })
})

describe('a client with a token file', () => {
  let server: FakeConfigCenter
  const clients: Tributary[] = []

  beforeEach(async () => {
    server = new FakeConfigCenter()
    server.seed({ 'service/b': servedAt('integration', 8001, 'inherited') })
    await server.start()
    await rotate('eyJ.first.x')
  })

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()))
    await server.stop()
  })

  async function open(): Promise<Tributary> {
    const { token: _, ...options } = server.options()
    const client = await connect({ ...options, env: { TRIBUTARY_TOKEN_FILE: file } })
    clients.push(client)
    return client
  }

  function sentToken(): string | undefined {
    return server.lastHeaders.authorization
  }

  it('reconnects with the token that is there then', async () => {
    const client = await open()
    expect(sentToken()).toBe('Bearer eyJ.first.x')
    await rotate('eyJ.second.x')
    server.stream.cut()
    await eventually(() => expect([sentToken(), client.status.state]).toEqual(['Bearer eyJ.second.x', 'READY']))
  })

  it('recovers from a 401 by the token that came meanwhile', async () => {
    const client = await open()
    server.streamStatus = 401
    server.stream.cut()
    await eventually(() => expect(client.status.state).toBe('ERROR'))
    expect(sentToken()).toBe('Bearer eyJ.first.x')
    await rotate('eyJ.second.x')
    server.streamStatus = undefined
    await eventually(() => expect([sentToken(), client.status.state]).toEqual(['Bearer eyJ.second.x', 'READY']))
  })

  it('is refused with the name of a file that gives no token, and nothing of what it holds', async () => {
    await rotate('a secret in\ntwo lines')
    const problem = `the token file (TRIBUTARY_TOKEN_FILE) ${file} holds no token`
    await expect(open()).rejects.toMatchObject({ code: 'SDK_OPTIONS_INVALID', details: { problems: [problem] } })
  })
})
