import type { LogLine, Run } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import type { EnvironmentDependencies } from './dependencies.js'
import { stateKeys } from './state/keys.js'
import { getRun } from './state/runs.js'

/** Where a followed run goes. */
export interface RunListener {
  onRun(run: Run): Promise<void>
  onLine(line: LogLine): Promise<void>
}

/** Tells a run and its log; with `follow` also what happens until it has ended or the signal aborts. The last `onRun` is its end. */
export async function followRun(
  deps: Pick<EnvironmentDependencies, 'store' | 'runLogs'>,
  { run, follow, signal }: { readonly run: Run; readonly follow: boolean; readonly signal: AbortSignal },
  listener: RunListener,
): Promise<void> {
  const ended = new AbortController()
  await listener.onRun(run)
  const after = await deps.store.currentRevision()
  const following = follow && run.state === 'running'
  const changes = following ? tellChanges() : Promise.resolve()
  for await (const line of deps.runLogs.read(run.runId, { follow: following, signal })) await listener.onLine(line)
  ended.abort()
  await changes
  if (following) await listener.onRun(await getRun(deps.store, run.runId))

  async function tellChanges(): Promise<void> {
    const request = {
      select: { key: stateKeys.run(run.runId) },
      after,
      signal: AbortSignal.any([signal, ended.signal]),
    }
    try {
      for await (const { events } of deps.store.watch(request)) {
        for (const event of events) if (event.kind === 'put') await listener.onRun(JSON.parse(event.entry.value) as Run)
      }
    } catch (error) {
      // A follower that is too slow misses states in between; the last one is told in any case.
      if (!isAppError(error, 'STORE_COMPACTED')) throw error
    }
  }
}
