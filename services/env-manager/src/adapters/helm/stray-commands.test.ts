import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { endStrayCommands } from './stray-commands.js'

describe.skipIf(!existsSync('/proc/self/environ'))('endStrayCommands (needs /proc)', () => {
  it('ends processes that bear the mark, and no others', async () => {
    const marker = `HELM_CACHE_HOME=/tmp/stray-test-${process.pid}`
    const start = async (value: string): Promise<ReturnType<typeof spawn>> => {
      const script = 'console.log("up"); setInterval(() => undefined, 1000)'
      const child = spawn(process.execPath, ['-e', script], {
        env: { HELM_CACHE_HOME: value },
        stdio: ['ignore', 'pipe', 'ignore'],
      })
      await once(child.stdout, 'data')
      return child
    }
    const [stray, other] = await Promise.all([start(marker.slice(16)), start(`${marker.slice(16)}-of-another`)])
    try {
      const ended = once(stray, 'exit')
      expect(await endStrayCommands(marker)).toBeGreaterThanOrEqual(1)
      await ended
      expect(stray.signalCode).toBe('SIGKILL')
      expect(other.exitCode ?? other.signalCode).toBeNull()
      expect(await endStrayCommands(marker)).toBe(0)
    } finally {
      other.kill('SIGKILL')
    }
  })
})
