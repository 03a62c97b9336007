import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashItems } from '@tributary/contract/hash'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Replica, type ReplicaImage } from '../stream/replica.js'
import { SnapshotFile } from './snapshot-file.js'

const owner = { serverUrl: 'http://center/', tenant: 'feature-x', service: 'a' }
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-snapshot-'))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

function imageOf(pageSize: number): ReplicaImage {
  const items = [['chain', ['feature-x']] as const, ['config/a', { pageSize }] as const]
  return { view: { storeRevision: '7', hash: hashItems(items), items } }
}

describe('SnapshotFile', () => {
  it('reads what was written last', async () => {
    const file = new SnapshotFile(join(folder, 'new', 'deep'), owner)
    expect(await file.read()).toEqual({ kind: 'absent' })
    await file.write(imageOf(1))
    await file.write(imageOf(2))
    expect(await file.read()).toEqual({ kind: 'found', image: imageOf(2) })
    expect(await readdir(join(folder, 'new', 'deep'))).toHaveLength(1)
  })

  it.each([
    { ...owner, serverUrl: 'http://other/' },
    { ...owner, tenant: 'feature-y' },
    { ...owner, service: 'b' },
    { ...owner, service: null },
  ])('is another file for %o', (other) => {
    expect(new SnapshotFile(folder, other).path).not.toBe(new SnapshotFile(folder, owner).path)
  })

  it('is whole while many write it at once', async () => {
    const file = new SnapshotFile(folder, owner)
    const writes = Array.from({ length: 20 }, (_each, index) => file.write(imageOf(index)))
    const reads = await Promise.all(Array.from({ length: 20 }, () => file.read()))
    await Promise.all(writes)
    expect(reads.filter(({ kind }) => kind === 'unusable')).toEqual([])
    expect((await file.read()).kind).toBe('found')
    expect(await readdir(folder)).toHaveLength(1)
  })

  it('is not used when its own hash is wrong although its checksum is right', async () => {
    const file = new SnapshotFile(folder, owner)
    const image = imageOf(1)
    await file.write({
      view: {
        ...image.view,
        storeRevision: '7',
        items: [['config/a', { pageSize: 666 }]],
        hash: imageOf(1).view?.hash ?? '',
      },
    })
    const found = await file.read()
    const replica = new Replica()
    expect(found.kind === 'found' && replica.restore(found.image)).toBe(false)
    expect(replica.holdsView).toBe(false)
  })

  it('survives every cut of the file', async () => {
    const file = new SnapshotFile(folder, owner)
    await file.write(imageOf(1))
    const whole = await readFile(file.path)
    for (let length = 0; length < whole.length; length += 7) {
      await writeFile(file.path, whole.subarray(0, length))
      expect((await file.read()).kind).toBe('unusable')
    }
  })

  it('leaves the former one when it cannot be replaced, and no remains', async () => {
    const file = new SnapshotFile(folder, owner)
    await file.write(imageOf(1))
    const cyclic: unknown[] = []
    cyclic.push(cyclic)
    const impossible = { view: { storeRevision: '8', hash: '', items: [['config/a', cyclic] as const] } }
    await expect(file.write(impossible)).rejects.toThrow('circular')
    expect(await file.read()).toEqual({ kind: 'found', image: imageOf(1) })
    expect(await readdir(folder)).toHaveLength(1)
  })

  it('removes what killed writers of the same owner left long ago, and nothing else', async () => {
    const file = new SnapshotFile(folder, owner)
    await file.write(imageOf(1))
    const mine = file.path.replace(/\.snapshot$/, '')
    const old = new Date(Date.now() - 7_200_000)
    for (const path of [`${mine}.aaaa.tmp`, `${mine}.bbbb.tmp`, join(folder, 'foreign.tmp')]) await writeFile(path, '')
    for (const path of [`${mine}.aaaa.tmp`, join(folder, 'foreign.tmp'), file.path]) await utimes(path, old, old)
    await file.removeAbandoned(Date.now())
    expect((await readdir(folder)).map((name) => join(folder, name)).sort()).toEqual(
      [`${mine}.bbbb.tmp`, join(folder, 'foreign.tmp'), file.path].sort(),
    )
  })
})
