import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { systemClock } from '@tributary/kit'
import { describe, expect, test } from 'vitest'
import { stopProcesses } from './process-group.js'
import { createProcessTable } from './process-table.js'

/** So many, all at work, that the last of them goes well after the main thread on any machine. */
const THREADS = 24
const MANY_THREADS = `
  const { Worker } = require('node:worker_threads')
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const work = \`
    const { parentPort, workerData } = require('node:worker_threads')
    parentPort.postMessage('up')
    Atomics.wait(workerData, 0, 0)
    for (;;);\`
  let up = 0
  const open = (port) => {
    Atomics.store(gate, 0, 1)
    Atomics.notify(gate, 0)
    console.log(port)
  }
  const server = require('node:net').createServer().listen(0, '127.0.0.1', () => {
    for (let i = 0; i < ${THREADS}; i += 1) {
      new Worker(work, { eval: true, workerData: gate }).once('message', () => {
        if ((up += 1) === ${THREADS}) open(server.address().port)
      })
    }
  })`

describe('the end of processes', () => {
  test('is waited for until their ports are free, not only until their main threads have ended', async () => {
    const marker = `test/${process.pid}/threads/1`
    const child = spawn(process.execPath, ['-e', MANY_THREADS], {
      env: { TRIBUTARY_WORKLOAD: marker },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(child, 'exit')
    try {
      const [line]: unknown[] = await once(child.stdout, 'data')
      await stopProcesses({ marker }, { table: createProcessTable(), clock: systemClock, graceMs: 5_000 })
      expect(await connectTo(Number(String(line)))).toBe('ECONNREFUSED')
    } finally {
      child.kill('SIGKILL')
      await ended
    }
  })
})

/** What a connection to the port meets with. */
function connectTo(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve('connected')
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  })
}
