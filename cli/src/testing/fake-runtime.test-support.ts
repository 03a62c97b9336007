import { systemClock } from '@tributary/kit'
import { setTimeout as delay } from 'node:timers/promises'
import type { CliRuntime } from '../runtime.js'

/** A runtime for tests that keeps what is printed. */
export interface FakeRuntime {
  readonly runtime: CliRuntime
  readonly stdout: () => string
  readonly stderr: () => string
  readonly sendSignal: (signal: NodeJS.Signals) => void
}

/** Makes a runtime without a terminal, an environment and a network; `overrides` replace any part. */
export function fakeRuntime(overrides: Partial<CliRuntime> = {}): FakeRuntime {
  const text = { stdout: '', stderr: '' }
  const controller = new AbortController()
  let handler: ((signal: NodeJS.Signals) => void) | undefined
  const sink = (name: keyof typeof text) => ({
    write: (more: string) => void (text[name] += more),
    isTTY: false,
    columns: 0,
  })
  const runtime: CliRuntime = {
    env: {},
    cwd: '/',
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    interactive: false,
    readStdin: () => Promise.resolve(''),
    stdinEnded: () => new Promise(() => {}),
    exit: () => {},
    clock: systemClock,
    signal: controller.signal,
    takeSignals: (taken) => {
      handler = taken
      return () => (handler = undefined)
    },
    fetch: () => Promise.reject(new TypeError('no network in this test')),
    ...overrides,
  }
  const sendSignal = (signal: NodeJS.Signals): void => (handler === undefined ? controller.abort() : handler(signal))
  return { runtime, stdout: () => text.stdout, stderr: () => text.stderr, sendSignal }
}

/** Waits until `condition` holds; fails after `timeoutMs`. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`the condition did not hold within ${timeoutMs} ms`)
    await delay(10)
  }
}
