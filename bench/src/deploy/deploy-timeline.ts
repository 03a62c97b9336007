import type { Run } from '@tributary/contract'
import { quantile, type Figure } from '../result.js'

/** What a deploy spent its time with, in milliseconds by the name of the part, in order. Parts that overlap (the space and the tenant) are taken off `between steps`. */
export type DeployTimeline = ReadonlyMap<string, number>

/** From the hint to the run's begin, each step of the run, and from the run's end until somebody who asks again and again sees it. Instants are epoch milliseconds. */
export function timelineOf(
  run: Run,
  { hintedAt, seenAt }: { readonly hintedAt: number; readonly seenAt: number },
): DeployTimeline {
  const startedAt = Date.parse(run.startedAt)
  const finishedAt = run.finishedAt === null ? seenAt : Date.parse(run.finishedAt)
  const steps = run.steps.flatMap((step): [string, number][] =>
    step.startedAt === null || step.finishedAt === null
      ? []
      : [[step.name, Date.parse(step.finishedAt) - Date.parse(step.startedAt)]],
  )
  const parts = new Map([['git and plan', startedAt - hintedAt], ...steps, ['seen', seenAt - finishedAt]])
  const known = [...parts.values()].reduce((sum, ms) => sum + ms, 0)
  return parts.set('between steps', seenAt - hintedAt - known)
}

/** The median of each part over all timelines. */
export function timelineFigures(timelines: readonly DeployTimeline[]): Figure[] {
  const names = new Set(timelines.flatMap((timeline) => [...timeline.keys()]))
  return [...names].map((name) => ({
    name: `  of which ${name}, p50`,
    value:
      quantile(
        timelines.map((timeline) => timeline.get(name) ?? 0),
        0.5,
      ) / 1000,
    unit: 's',
  }))
}
