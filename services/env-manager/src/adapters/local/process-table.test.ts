import { spawn } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { until } from '../../ports/platform-contract.test-support.js'
import { createProcessTable, parsePs, parseStat } from './process-table.js'

const SLEEP = ['-e', 'setInterval(() => undefined, 1000)']

describe('the process table', () => {
  test('knows a process by pid, group, start and marker, until it has ended', async () => {
    const table = createProcessTable()
    const marker = `test/${process.pid}/a b/1`
    const child = spawn(process.execPath, SLEEP, {
      detached: true,
      stdio: 'ignore',
      env: { TRIBUTARY_WORKLOAD: marker },
    })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    try {
      await until(async () => (await table.list()).some((entry) => entry.marker === marker))
      const entry = (await table.list()).find(({ pid }) => pid === child.pid)
      expect(entry).toMatchObject({ pid: child.pid, groupId: child.pid, marker })
      expect(await table.identify(child.pid ?? 0)).toBe(entry?.startId)
    } finally {
      child.kill('SIGKILL')
      await ended
    }
    expect(await table.identify(child.pid ?? 0)).toBeUndefined()
    expect((await table.list()).some((entry) => entry.marker === marker)).toBe(false)
  })

  test('tells processes apart that started at different times', async () => {
    const table = createProcessTable()
    expect(await table.identify(process.pid)).toBe(await table.identify(process.pid))
    expect(await table.identify(process.pid)).not.toBe(await table.identify(1))
  })
})

describe('parseStat', () => {
  const line = (state: string, threads: number): string =>
    `412 (a (b) c) ${state} 1 410 410 0 -1 4227084 3005 6534 5 0 2 2 3 2 20 0 ${threads} 0 5024579 0 0 18446744073709551615`

  test('leaves out zombies, but not a process of which only the main thread has ended', () => {
    expect(parseStat(line('S', 11))).toEqual({ isEnding: false, groupId: 410, startTicks: '5024579' })
    expect(parseStat(line('Z', 2))).toEqual({ isEnding: true, groupId: 410, startTicks: '5024579' })
    expect(parseStat(line('Z', 1))).toBeUndefined()
    expect(parseStat('')).toBeUndefined()
  })
})

describe('parsePs', () => {
  test('reads what macOS prints, and leaves out zombies', () => {
    const text = [
      '    1     1 Ss   Sat Nov 21 08:00:01 2026     /sbin/launchd',
      '  412   412 S    Sat Nov 21 08:10:59 2026     node server.js PATH=/bin TRIBUTARY_WORKLOAD=here/feature-x/orders/0-1 HOME=/Users/a b',
      '  413   412 Z    Sat Nov 21 08:11:00 2026     (node)',
      '',
    ].join('\n')
    expect(parsePs(text)).toEqual([
      { pid: 1, groupId: 1, startId: 'Sat Nov 21 08:00:01 2026', marker: undefined },
      { pid: 412, groupId: 412, startId: 'Sat Nov 21 08:10:59 2026', marker: 'here/feature-x/orders/0-1' },
    ])
  })
})
