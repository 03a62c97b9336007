import { requestWake } from '../operations/request-sleep.js'
import type { RouteDeps } from './route-deps.js'

/** Wakes an environment: also one that is only just being put to sleep. */
export async function wake({ deps, loop }: Pick<RouteDeps, 'deps' | 'loop'>, environment: string): Promise<void> {
  await requestWake(deps, environment)
  loop.supersede(environment, 'Somebody wakes the environment; its services are started')
  loop.mark(environment)
}
