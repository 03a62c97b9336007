import { isAppError } from '@tributary/kit'
import type { WorkloadLogLine } from '../../../ports/platform.js'
import type { KubePod } from '../api/kube-objects.js'
import type { KubernetesParts } from '../kubernetes-parts.js'
import { podLines } from './pod-logs.js'

/** Whose output, and how much of it. */
export interface ReadLogsRequest {
  readonly environment: string
  readonly service: string
  readonly tailLines: number
  readonly follow: boolean
  readonly signal: AbortSignal
}

/** What several pods print, mixed in the order in which it comes; pods that appear while it is followed are joined. */
export async function* readLogs(parts: KubernetesParts, request: ReadLogsRequest): AsyncGenerator<WorkloadLogLine> {
  const pods = parts.book.podsOf(request.environment, request.service)
  const tails = await Promise.all(pods.map((pod) => tailOf(parts, pod, request)))
  const past = tails.flat().sort((left, right) => left.at - right.at)
  if (request.tailLines > 0) yield* past.slice(-request.tailLines)
  if (request.follow) yield* follow(parts, { ...request, from: past.at(-1)?.at ?? parts.clock.now() })
}

async function tailOf(
  { api }: KubernetesParts,
  pod: KubePod,
  { tailLines, signal }: ReadLogsRequest,
): Promise<WorkloadLogLine[]> {
  const lines: WorkloadLogLine[] = []
  try {
    for await (const line of podLines(api, pod, { tailLines, signal })) lines.push(line)
  } catch (error) {
    // It has not started yet, or is gone by now.
    if (!isAppError(error) || signal.aborted) throw error
  }
  return lines
}

/** Joins the streams of all pods in one queue. */
async function* follow(
  parts: KubernetesParts,
  request: ReadLogsRequest & { readonly from: number },
): AsyncGenerator<WorkloadLogLine> {
  const ended = new AbortController()
  const signal = AbortSignal.any([request.signal, ended.signal])
  const queue: WorkloadLogLine[] = []
  const read = new Set<string>()
  let wake = (): void => undefined
  const join = (): void => {
    for (const pod of parts.book.podsOf(request.environment, request.service)) {
      const key = streamKey(pod)
      if (key === undefined || read.has(key)) continue
      read.add(key)
      void pump(parts, pod, { from: request.from, signal, push: (line) => (queue.push(line), wake()) })
    }
  }
  const unsubscribe = parts.book.subscribe(join)
  signal.addEventListener('abort', () => wake(), { once: true })
  try {
    join()
    while (!signal.aborted) {
      const line = queue.shift()
      if (line !== undefined) yield line
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    unsubscribe()
    ended.abort()
  }
}

/** A container that was started again is a new stream of the same pod. */
function streamKey({ metadata, status }: KubePod): string | undefined {
  const running = status?.containerStatuses?.find(({ state }) => state?.running !== undefined)
  return running === undefined ? undefined : `${metadata.uid ?? metadata.name}/${running.restartCount}`
}

async function pump(
  { api }: KubernetesParts,
  pod: KubePod,
  given: { readonly from: number; readonly signal: AbortSignal; readonly push: (line: WorkloadLogLine) => void },
): Promise<void> {
  const { from, signal, push } = given
  try {
    const options = { tailLines: 10_000, follow: true, sinceTime: new Date(from).toISOString(), signal }
    // sinceTime has a resolution of one second: what was there before is left out by its own instant.
    for await (const line of podLines(api, pod, options)) if (line.at > from) push(line)
  } catch {
    // The pod is gone, or nobody reads any more; a new pod has a stream of its own.
  }
}
