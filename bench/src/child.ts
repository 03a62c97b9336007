import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** A child process that answers each message with one message. */
export interface Child {
  /** Sends a message and resolves with the next one that the child sends. */
  ask<Answer>(message: object): Promise<Answer>
  /** Calls `listener` for every message that nobody asked for. */
  onMessage(listener: (message: unknown) => void): void
  readonly pid: number
  stop(): Promise<void>
}

/** Starts a module of this package (`./fanout/server.js`) as a process of its own, so that it has a core and a heap to itself. */
export function startChild(module: string, from: string): Child {
  const child = fork(fileURLToPath(new URL(module, from)), {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const waiting: ((message: unknown) => void)[] = []
  const listeners: ((message: unknown) => void)[] = []
  child.on('message', (message) => {
    const push = typeof message === 'object' && 'push' in message ? message.push : undefined
    if (push === undefined) waiting.shift()?.(message)
    else for (const listener of listeners) listener(push)
  })
  return {
    ask: <Answer>(message: object) =>
      new Promise<Answer>((resolve, reject) => {
        const onExit = (): void => reject(new Error(`${module} ended before it answered`))
        child.once('exit', onExit)
        waiting.push((answer) => {
          child.off('exit', onExit)
          resolve(answer as Answer)
        })
        child.send(message)
      }),
    onMessage: (listener) => void listeners.push(listener),
    pid: child.pid ?? -1,
    stop: () => stopChild(child),
  }
}

/** Serves the parent's messages one by one; the child ends when the parent goes. */
export function serveParent(handle: (message: unknown) => Promise<object> | object): void {
  let queue: Promise<void> = Promise.resolve()
  const answer = async (before: Promise<void>, message: unknown): Promise<void> => {
    await before
    process.send?.(await handle(message))
  }
  process.on('message', (message) => {
    queue = answer(queue, message)
  })
  process.on('disconnect', () => process.exit(0))
}

/** Sends the parent a message that it did not ask for. */
export function pushToParent(message: object): void {
  process.send?.({ push: message })
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.disconnect()
  const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
  await ended
  clearTimeout(timer)
}
