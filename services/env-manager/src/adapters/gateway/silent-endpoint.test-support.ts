import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Endpoint } from '@tributary/contract'
import { expect } from 'vitest'

/** An address whose queue of connections is full and stays so: the process that should take them is stopped. */
export async function silentEndpoint(): Promise<{ readonly endpoint: Endpoint; readonly end: () => void }> {
  const script =
    "const s=require('net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},()=>console.log(s.address().port))"
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line]: unknown[] = await once(child.stdout, 'data')
  const port = Number(String(line))
  child.kill('SIGSTOP')
  const waiting: Socket[] = []
  const isTaken = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1')
      waiting.push(socket)
      socket.on('error', () => undefined)
      socket.once('connect', () => resolve(true))
      // A process that was held up hears of its timers first, and only then of what came meanwhile.
      setTimeout(() => setImmediate(() => resolve(false)), 300)
    })
  while (await isTaken()) expect(waiting.length).toBeLessThan(20)
  const end = (): void => {
    for (const socket of waiting) socket.destroy()
    child.kill('SIGKILL')
  }
  return { endpoint: { name: 'http', protocol: 'http', host: '127.0.0.1', port }, end }
}
