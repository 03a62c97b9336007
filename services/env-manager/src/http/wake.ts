import { requestWake } from '../operations/request-sleep.js'
import type { RouteDeps } from './route-deps.js'

/** Wakes an environment: also one that is only just being put to sleep. False: it is awake, and what it is doing goes on. */
export async function wake({ deps, loop }: Pick<RouteDeps, 'deps' | 'loop'>, environment: string): Promise<boolean> {
  const changed = await requestWake(deps, environment)
  if (changed) loop.supersede(environment, 'Somebody wakes the environment; its services are started')
  loop.mark(environment)
  return changed
}
