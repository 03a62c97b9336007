import { isAppError } from '@tributary/kit'
import type { WorkloadLogLine } from '../../../ports/platform.js'
import { objectPath, type KubeApi } from '../api/kube-api.js'
import { RESOURCES, type KubePod } from '../api/kube-objects.js'
import { readLines } from '../api/read-lines.js'
import { hasCrashed } from './pod-reason.js'

/** How much of a pod's output is wanted. */
export interface PodLogOptions {
  readonly tailLines: number
  readonly follow?: boolean
  /** Of the container's run before the present one. */
  readonly previous?: boolean
  /** RFC 3339; what is older is left out. */
  readonly sinceTime?: string
  readonly signal: AbortSignal
}

/** A container's name in a pod; undefined when the pod says none. */
function containerOf(pod: KubePod): string | undefined {
  const statuses = pod.status?.containerStatuses ?? []
  return (statuses.find(({ ready }) => !ready) ?? statuses[0])?.name ?? pod.spec?.containers?.[0]?.name
}

/** Lines of one container of a pod as it prints them. Ends when the container does. */
export async function* podLines(api: KubeApi, pod: KubePod, options: PodLogOptions): AsyncGenerator<WorkloadLogLine> {
  const { name, namespace = '' } = pod.metadata
  const container = containerOf(pod)
  const answer = await api.open(`read the log of pod ${name} in ${namespace}`, {
    path: `${objectPath(RESOURCES.pod, { namespace, name })}/log`,
    query: {
      timestamps: 'true',
      tailLines: String(options.tailLines),
      ...(container === undefined ? {} : { container }),
      ...(options.follow === true ? { follow: 'true' } : {}),
      ...(options.previous === true ? { previous: 'true' } : {}),
      ...(options.sinceTime === undefined ? {} : { sinceTime: options.sinceTime }),
    },
    signal: options.signal,
  })
  for await (const line of readLines(answer)) yield parseLine(line)
}

/** The last lines of a pod that is not well: of the run that crashed, when the present one has said nothing. Never rejects. */
export async function lastLines(
  { api }: { readonly api: KubeApi },
  pod: KubePod,
  options: Pick<PodLogOptions, 'tailLines' | 'signal'>,
): Promise<readonly string[]> {
  const now = await linesOf(podLines(api, pod, options))
  if (now.length > 0 || !hasCrashed(pod)) return now
  return linesOf(podLines(api, pod, { ...options, previous: true }))
}

async function linesOf(lines: AsyncIterable<WorkloadLogLine>): Promise<readonly string[]> {
  const texts: string[] = []
  try {
    for await (const { text } of lines) texts.push(text)
  } catch (error) {
    // A container that never ran has no log (400), and the log is only there to explain another failure.
    if (!isAppError(error)) throw error
  }
  return texts
}

/** Kubernetes writes an RFC 3339 instant before each line. */
function parseLine(line: string): WorkloadLogLine {
  const space = line.indexOf(' ')
  const at = Date.parse(line.slice(0, space))
  return Number.isFinite(at) ? { at, text: line.slice(space + 1) } : { at: 0, text: line }
}
