import type { ChangeEvent, ChangeKind } from '@tributary/contract'
import { backoffMs, isAppError, type Clock } from '@tributary/kit'
import type { RevisionedStore, StoreEvent } from '@tributary/store'
import { stateKeys } from '../operations/state/keys.js'
import type { EventHub } from './event-hub.js'

/** What following works with. */
export interface FollowOptions {
  readonly hub: EventHub
  readonly clock: Clock
  /** Ends it. */
  readonly signal: AbortSignal
  /** Bounds of the pause after a failure. Default 200 to 10,000. */
  readonly retry?: { readonly initialMs: number; readonly maxMs: number }
}

const RETRY = { initialMs: 200, maxMs: 10_000 }

/** Keys by what they are about, and how that is called when the key does not say. */
const KINDS: readonly { readonly prefix: string; readonly kind: ChangeKind; readonly name?: string }[] = [
  { prefix: stateKeys.environments, kind: 'environment' },
  { prefix: stateKeys.runs, kind: 'run' },
  { prefix: stateKeys.breaker, kind: 'platform', name: 'breaker' },
  { prefix: stateKeys.audit, kind: 'platform', name: 'audit' },
]

/** Tells the hub what changes in the manager's own store, by one watch. Resolves when the signal aborts. */
export async function followStore(store: RevisionedStore, options: FollowOptions): Promise<void> {
  const { hub, signal } = options
  let after: bigint | undefined
  await untilAborted(options, async () => {
    if (after === undefined) after = await store.currentRevision({ signal })
    try {
      for await (const batch of store.watch({ select: { prefix: 'em/' }, after, signal })) {
        for (const event of batch.events) publish(hub, event)
        after = batch.storeRevision
      }
    } catch (error) {
      if (isAppError(error, 'STORE_COMPACTED')) {
        after = undefined
        hub.reset()
      }
      throw error
    }
  })
}

/** Repeats `follow` until the signal aborts: what it waits for may fail at any time. */
export async function untilAborted(
  { clock, signal, retry = RETRY }: FollowOptions,
  follow: () => Promise<void>,
): Promise<void> {
  for (let failures = 1; !signal.aborted; failures += 1) {
    const startedAt = clock.monotonicMs()
    try {
      await follow()
    } catch (error) {
      if (!signal.aborted && !isAppError(error)) throw error
    }
    if (clock.monotonicMs() - startedAt > retry.maxMs) failures = 1
    await clock.sleep(backoffMs(failures, retry), signal).catch(() => undefined)
  }
}

function publish(hub: EventHub, event: StoreEvent): void {
  const changed = changeOf(event)
  if (changed !== undefined) hub.publish(changed)
}

function changeOf(event: StoreEvent): ChangeEvent | undefined {
  const key = event.kind === 'put' ? event.entry.key : event.key
  const found = KINDS.find(({ prefix }) => key.startsWith(prefix))
  if (found === undefined) return undefined
  const { kind, prefix, name = key.slice(prefix.length) } = found
  const revision = `${event.kind === 'put' ? event.entry.modRevision : event.modRevision}`
  const environment = kind === 'run' ? environmentOfRun(event) : undefined
  const gone = event.kind === 'delete' && kind !== 'platform'
  return { kind, name, revision, gone, ...(environment === undefined ? {} : { environment }) }
}

function environmentOfRun(event: StoreEvent): string | undefined {
  const text = event.kind === 'put' ? event.entry.value : event.previous?.value
  const run: unknown = text === undefined ? undefined : JSON.parse(text)
  return typeof run === 'object' && run !== null && 'environment' in run ? String(run.environment) : undefined
}
