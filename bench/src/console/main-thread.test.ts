import { describe, expect, it } from 'vitest'
import { readTrace } from './main-thread.js'

const named = (tid: number, name: string) => ({ name: 'thread_name', ph: 'M', pid: 1, tid, args: { name } })
const task = (tid: number, dur: number, tdur: number) => ({ name: 'RunTask', ph: 'X', pid: 1, tid, dur, tdur })
const trace = (...traceEvents: readonly object[]): Buffer => Buffer.from(JSON.stringify({ traceEvents }))

describe('a trace of Chromium', () => {
  it('tells the longest tasks of pages’ main threads by the clock and by the processor, in milliseconds', () => {
    const events = [
      named(1, 'CrRendererMain'),
      named(2, 'Compositor'),
      task(1, 90_000, 12_000),
      task(1, 20_000, 19_000),
    ]
    expect(readTrace(trace(...events, task(2, 500_000, 500_000)))).toEqual({ wallMs: 90, cpuMs: 19, totalCpuMs: 31 })
  })

  it('is no proof of short tasks when it holds none', () => {
    expect(() => readTrace(trace(named(1, 'CrRendererMain')))).toThrow('no task')
  })
})
