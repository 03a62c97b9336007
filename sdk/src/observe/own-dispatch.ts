import type { Dispatcher } from 'undici'

/** Whether the next request that undici makes is counted by the dispatcher that makes it, so that its channel need not look. */
let isCounted = false

/**
 * Dispatches a call whose dispatcher counts it. undici tells of a request while it is dispatched, before anything else runs, unless it
 * waits for a connection: only for agents without a limit of connections.
 */
export function dispatchCounted(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  handler: Dispatcher.DispatchHandler,
): boolean {
  isCounted = true
  try {
    return dispatcher.dispatch(options, handler)
  } finally {
    isCounted = false
  }
}

/** True once for a request that is dispatched by {@link dispatchCounted}. */
export function takeCounted(): boolean {
  const taken = isCounted
  isCounted = false
  return taken
}
