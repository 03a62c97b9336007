import { getGlobalDispatcher, setGlobalDispatcher, type Dispatcher } from 'undici'
import { RoutingDispatcher, type DispatcherOptions } from './outgoing/routing-dispatcher.js'
import type { Tributary } from './tributary.js'

export type { DispatcherOptions } from './outgoing/routing-dispatcher.js'

/** A dispatcher for undici that calls services by their names; see {@link RoutingDispatcher}. Its owner closes it. */
export function createDispatcher(client: Tributary, options?: DispatcherOptions): Dispatcher {
  return new RoutingDispatcher(client, options)
}

/**
 * Makes {@link createDispatcher} the process's global dispatcher: `fetch('http://orders/…')` and undici call services by their names
 * from then on. Answers how to undo it: that puts the former dispatcher back and closes this one once its calls have ended.
 */
export function install(client: Tributary, options?: DispatcherOptions): () => Promise<void> {
  const former = getGlobalDispatcher()
  const dispatcher = createDispatcher(client, options)
  setGlobalDispatcher(dispatcher)
  return () => {
    if (getGlobalDispatcher() === dispatcher) setGlobalDispatcher(former)
    return dispatcher.close()
  }
}
