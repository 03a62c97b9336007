import { readFileSync } from 'node:fs'

/** What a process has used, as Linux counts it. */
export interface ProcessUsage {
  /** Since the process began, in user and system mode. */
  readonly cpuMs: number
  readonly rssBytes: number
  /** The most that it ever had. */
  readonly peakRssBytes: number
}

/** Linux reports processor time in hundredths of a second on every architecture. */
const TICK_MS = 10

/** Reads `/proc`, so that servers in any language are measured alike. All zero where there is no `/proc`, or no such process. */
export function processUsage(pid: number): ProcessUsage {
  const [stat, status] = [readProc(pid, 'stat'), readProc(pid, 'status')]
  // The name in brackets may hold blanks; the fields are counted after it. User and system time are the 14th and 15th of all.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const bytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1_024
  return {
    cpuMs: (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_MS,
    rssBytes: bytes('VmRSS'),
    peakRssBytes: bytes('VmHWM'),
  }
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}
