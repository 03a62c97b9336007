import type { Browser, Page } from 'playwright-core'
import { within } from './bounded.js'

/** What a page's main thread did in some time. */
export interface MainThread {
  /** The longest task by the clock: what a person waits for, with whatever else the machine does meanwhile. */
  readonly wallMs: number
  /** The longest task by the thread's own time on a processor: what the page itself costs. */
  readonly cpuMs: number
  /** Own time of all tasks. */
  readonly totalCpuMs: number
}

const CATEGORIES = ['devtools.timeline', 'disabled-by-default-devtools.timeline']

/** Traces `work` in Chromium, and tells what the page's main thread did in that time. */
export async function mainThreadOf(
  { browser, page }: { readonly browser: Browser; readonly page: Page },
  work: () => Promise<void>,
): Promise<MainThread> {
  await within('a trace', browser.startTracing(page, { categories: CATEGORIES }))
  try {
    await work()
  } catch (error) {
    await within('the end of a trace', browser.stopTracing())
    throw error
  }
  return readTrace(await within('the end of a trace', browser.stopTracing()))
}

/** @throws Error when the trace holds no task, which would read as one that was never long. */
export function readTrace(trace: Buffer): MainThread {
  const parsed: unknown = JSON.parse(trace.toString('utf8'))
  const events = isRecord(parsed) && Array.isArray(parsed['traceEvents']) ? parsed['traceEvents'].filter(isRecord) : []
  const mainThreads = new Set(events.filter(namesMainThread).map(threadOf))
  const tasks = events.filter((event) => event['name'] === 'RunTask' && mainThreads.has(threadOf(event)))
  // Microseconds. One task may be told without its own time: then all of it counts.
  const [wall, cpu] = ['dur', 'tdur'].map((member) =>
    tasks.map((task) => Number(task[member] ?? task['dur'] ?? 0) / 1000),
  )
  if (tasks.length === 0) throw new Error('console: Chromium’s trace holds no task of a page’s main thread')
  return { wallMs: most(wall), cpuMs: most(cpu), totalCpuMs: (cpu ?? []).reduce((sum, one) => sum + one, 0) }
}

function most(values: readonly number[] = []): number {
  return values.reduce((left, right) => Math.max(left, right), 0)
}

type TraceEvent = Readonly<Record<string, unknown>>

function isRecord(value: unknown): value is TraceEvent {
  return typeof value === 'object' && value !== null
}

function namesMainThread({ name, args }: TraceEvent): boolean {
  return name === 'thread_name' && isRecord(args) && args['name'] === 'CrRendererMain'
}

function threadOf({ pid, tid }: TraceEvent): string {
  return `${String(pid)} ${String(tid)}`
}
