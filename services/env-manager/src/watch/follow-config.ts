import type { ConfigCenter } from '../ports/config-center.js'
import { untilAborted, type FollowOptions } from './follow-store.js'

/** Tells the hub which tenants change in the config center, by one stream. Resolves when the signal aborts. */
export async function followConfig(
  configCenter: Pick<ConfigCenter, 'watchChanges'>,
  options: FollowOptions,
): Promise<void> {
  const { hub, signal } = options
  let seen: string | undefined
  const platform = (): void => hub.publish({ kind: 'platform', name: 'config-center', revision: '0', gone: false })
  await untilAborted(options, async () => {
    let first = true
    try {
      for await (const { storeRevision, tenants } of configCenter.watchChanges(signal)) {
        // What changed while nobody listened has no names.
        if (first && seen !== undefined && seen !== storeRevision) hub.reset()
        if (first) platform()
        first = false
        seen = storeRevision
        for (const name of tenants) hub.publish({ kind: 'config', name, revision: storeRevision, gone: false })
      }
    } finally {
      if (!first && !signal.aborted) platform()
    }
  })
}
