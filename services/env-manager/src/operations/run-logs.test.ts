import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LogLine } from '@tributary/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RunLogs } from './run-logs.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tributary-logs-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const line = (text: string): LogLine => ({ at: '2026-01-01T00:00:00.000Z', source: 'deploy', text })
const never = new AbortController().signal

async function all(lines: AsyncIterable<LogLine>): Promise<readonly string[]> {
  const texts: string[] = []
  for await (const { text } of lines) texts.push(text)
  return texts
}

describe('RunLogs', () => {
  it('gives the lines back in order, also to the next process', async () => {
    const logs = new RunLogs(directory)
    for (let index = 0; index < 100; index += 1) logs.append('r', line(String(index)))
    await logs.close('r')
    const expected = Array.from({ length: 100 }, (_, index) => String(index))
    expect(await all(new RunLogs(directory).read('r', { follow: false, signal: never }))).toEqual(expected)
  })

  it('lets any number of followers see each line once, and ends them with the run', async () => {
    const logs = new RunLogs(directory)
    logs.open('r')
    logs.append('r', line('0'))
    const followers = [
      all(logs.read('r', { follow: true, signal: never })),
      all(logs.read('r', { follow: true, signal: never })),
    ]
    for (let index = 1; index < 200; index += 1) {
      logs.append('r', line(String(index)))
      if (index % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await logs.close('r')
    const expected = Array.from({ length: 200 }, (_, index) => String(index))
    expect(await Promise.all(followers)).toEqual([expected, expected])
  })

  it('ends a follower that goes away', async () => {
    const logs = new RunLogs(directory)
    logs.open('r')
    const gone = new AbortController()
    const following = all(logs.read('r', { follow: true, signal: gone.signal }))
    gone.abort()
    expect(await following).toEqual([])
  })

  it('stays within its bound and says that it left something out', async () => {
    const logs = new RunLogs(directory, 2000)
    for (let index = 0; index < 1000; index += 1) logs.append('r', line('x'.repeat(100)))
    await logs.close('r')
    const texts = await all(logs.read('r', { follow: false, signal: never }))
    expect(texts.at(-1)).toContain('the rest is left out')
    expect(statSync(join(directory, 'r.jsonl')).size).toBeLessThan(2300)
  })

  it('keeps its files for this user alone, skips half a line, and removes them', async () => {
    const logs = new RunLogs(directory)
    logs.append('r', line('whole'))
    await logs.close('r')
    const file = join(directory, 'r.jsonl')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const { appendFileSync } = await import('node:fs')
    appendFileSync(file, '{"at":"2026')
    expect(await all(logs.read('r', { follow: false, signal: never }))).toEqual(['whole'])
    await logs.remove('r')
    await logs.remove('r')
    expect(() => readFileSync(file)).toThrow('ENOENT')
    expect(await all(logs.read('r', { follow: false, signal: never }))).toEqual([])
  })
})
