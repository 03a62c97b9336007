import type { Browser, Page } from 'playwright-core'
import { within } from './bounded.js'

/** The longest task of a page's main thread. */
export interface LongestTask {
  /** By the clock: what a person waits for, with whatever else the machine does meanwhile. */
  readonly wallMs: number
  /** Of the thread's own time on a processor: what the page itself costs. */
  readonly cpuMs: number
}

const CATEGORIES = ['devtools.timeline', 'disabled-by-default-devtools.timeline']

/** Traces `work` in Chromium, and tells the longest task of the page's main thread in that time. */
export async function longestTaskOf(
  { browser, page }: { readonly browser: Browser; readonly page: Page },
  work: () => Promise<void>,
): Promise<LongestTask> {
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
export function readTrace(trace: Buffer): LongestTask {
  const parsed: unknown = JSON.parse(trace.toString('utf8'))
  const events = isRecord(parsed) && Array.isArray(parsed['traceEvents']) ? parsed['traceEvents'].filter(isRecord) : []
  const mainThreads = new Set(events.filter(namesMainThread).map(threadOf))
  const tasks = events.filter((event) => event['name'] === 'RunTask' && mainThreads.has(threadOf(event)))
  const longest = (member: string): number =>
    // Microseconds. One task may be told without its own time: then all of it counts.
    tasks.reduce((most, task) => Math.max(most, Number(task[member] ?? task['dur'] ?? 0)), 0) / 1000
  if (tasks.length === 0) throw new Error('console: Chromium’s trace holds no task of a page’s main thread')
  return { wallMs: longest('dur'), cpuMs: longest('tdur') }
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
