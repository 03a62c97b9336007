import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeRuntime } from '../testing/fake-runtime.test-support.js'
import { prepareDataFolder } from './data-folder.js'
import { listenForStop } from './stop-request.js'

let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-up-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('prepareDataFolder', () => {
  it('makes a folder for its owner alone', async () => {
    await prepareDataFolder(join(folder, 'deep', 'data'))
    expect((await stat(join(folder, 'deep', 'data'))).mode & 0o777).toBe(0o700)
  })

  it('takes a folder that is there, and says so of a file', async () => {
    await prepareDataFolder(folder)
    await writeFile(join(folder, 'file'), '')
    await expect(prepareDataFolder(join(folder, 'file'))).rejects.toThrow(`${join(folder, 'file')}; it is a file;`)
  })

  it.runIf(process.platform === 'linux')('gives up where nothing can be made', async () => {
    await expect(prepareDataFolder('/proc/tributary/data')).rejects.toMatchObject({ code: 'CLI_DATA_UNWRITABLE' })
  })

  it('says which folder cannot be written, why, and what to do', async () => {
    await writeFile(join(folder, 'file'), '')
    await expect(prepareDataFolder(join(folder, 'file', 'data'))).rejects.toMatchObject({
      code: 'CLI_DATA_UNWRITABLE',
      message: `cannot write the data folder ${join(folder, 'file', 'data')}; ENOTDIR; name another with --data, or give this user the right to write it`,
    })
  })
})

describe('listenForStop', () => {
  it('asks at the first signal and forces at the second', async () => {
    const { runtime, sendSignal } = fakeRuntime()
    let forced = 0
    const stop = listenForStop(runtime, { onStdinEnd: false, force: () => (forced += 1) })
    sendSignal('SIGINT')
    await stop.asked
    expect(forced).toBe(0)
    sendSignal('SIGINT')
    expect(forced).toBe(1)
    expect(runtime.signal.aborted).toBe(false)
    stop.release()
    sendSignal('SIGINT')
    expect(runtime.signal.aborted).toBe(true)
  })

  it('asks when standard input ends, if that was wanted', async () => {
    const { runtime } = fakeRuntime({ stdinEnded: () => Promise.resolve() })
    await expect(listenForStop(runtime, { onStdinEnd: true, force: () => {} }).asked).resolves.toBeUndefined()
  })
})
