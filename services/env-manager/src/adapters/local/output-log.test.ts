import { appendFile, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { temporaryFolder, type TemporaryFolder } from '../git/git-repository.test-support.js'
import { LineSplitter } from './line-splitter.js'
import { OutputLog } from './output-log.js'

let folder: TemporaryFolder
let path: string

beforeEach(async () => {
  folder = await temporaryFolder()
  path = join(folder.path, 'x.log')
})
afterEach(() => folder[Symbol.asyncDispose]())

async function readAll(log: OutputLog, from: number): Promise<string> {
  let text = ''
  for (let position = from; ;) {
    const { bytes, next } = await log.read(position)
    if (bytes.length === 0) return text
    text += bytes.toString()
    position = next
  }
}

describe('OutputLog', () => {
  test('is empty before anything was printed', async () => {
    const log = new OutputLog(path)
    expect(await log.tail(10)).toEqual({ lines: [], next: 0 })
    expect(await log.end()).toBe(0)
  })

  test('keeps positions valid when the file is bounded', async () => {
    const log = new OutputLog(path, 100)
    let position = 0
    let seen = ''
    for (let round = 0; round < 20; round += 1) {
      await appendFile(path, `line ${round} ${'x'.repeat(round)}\n`)
      const { bytes, next } = await log.read(position)
      seen += bytes.toString()
      position = next
      await log.rotateIfLarge()
      expect((await stat(path)).size).toBeLessThanOrEqual(100)
    }
    expect(seen.match(/line \d+/g)).toEqual(Array.from({ length: 20 }, (_, round) => `line ${round}`))
  })

  test('serves a reader that fell behind from what is kept', async () => {
    const log = new OutputLog(path, 50)
    await appendFile(path, 'a'.repeat(40))
    await log.rotateIfLarge()
    await appendFile(path, 'b'.repeat(40))
    await log.rotateIfLarge()
    await appendFile(path, 'c'.repeat(10))
    expect(await readAll(log, 0)).toBe(`${'a'.repeat(10)}${'b'.repeat(40)}${'c'.repeat(10)}`)
    expect(await readAll(log, 85)).toBe('c'.repeat(5))
    expect(await readFile(`${path}.1`, 'utf8')).toHaveLength(50)
  })

  test('goes on after the manager was started again', async () => {
    await appendFile(path, 'a\n'.repeat(40))
    await new OutputLog(path, 50).rotateIfLarge()
    await appendFile(path, 'b\n')
    const { lines } = await new OutputLog(path, 50).tail(2)
    expect(lines).toEqual(['a', 'b'])
  })

  test('finds the last lines however long the file is', async () => {
    const text = Array.from({ length: 30_000 }, (_, index) => `line ${index} ü\n`).join('')
    await appendFile(path, text)
    const log = new OutputLog(path)
    const { lines, next } = await log.tail(20_000)
    expect(lines).toEqual(Array.from({ length: 20_000 }, (_, index) => `line ${index + 10_000} ü`))
    expect(next).toBe(Buffer.byteLength(text))
  })

  test('tells only what was printed since a position', async () => {
    const log = new OutputLog(path)
    await appendFile(path, 'before\n')
    const since = await log.end()
    await appendFile(path, 'after\n')
    expect((await log.tail(10, since)).lines).toEqual(['after'])
  })
})

describe('LineSplitter', () => {
  test('gives the same lines however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 20 })), fc.array(fc.nat(200)), (texts, cuts) => {
        const lines = texts.map((text) => text.replaceAll(/[\r\n]/g, ''))
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
        const splitter = new LineSplitter()
        const points = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
        const seen = points.slice(1).flatMap((end, index) => splitter.push(bytes.subarray(points[index], end)))
        expect([...seen, ...splitter.end()]).toEqual(lines)
      }),
    )
  })

  test('cuts a line that does not end', () => {
    const splitter = new LineSplitter()
    const pieces = [...splitter.push(Buffer.alloc(40_000, 'x')), ...splitter.push(Buffer.from('y\n'))]
    expect(pieces.every((piece) => piece.length <= 16_384)).toBe(true)
    expect(pieces.length).toBeGreaterThan(0)
  })
})
