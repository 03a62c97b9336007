import { messageOf, type EnvironmentDependencies } from '../operations/dependencies.js'
import { requestWake } from '../operations/request-sleep.js'

/** What following requests works with. */
export interface FollowRequestsOptions {
  readonly deps: Pick<EnvironmentDependencies, 'store' | 'clock' | 'routes' | 'activity' | 'log'>
  /** Looks at an environment that was woken. */
  readonly mark: (environment: string) => void
}

/** Notes when environments are used, and wakes those that somebody wants. Returns how to stop that. */
export function followRequests({ deps, mark }: FollowRequestsOptions): () => void {
  const waking = new Set<string>()
  const wake = async (environment: string): Promise<void> => {
    try {
      await requestWake(deps, environment)
      mark(environment)
    } catch (error) {
      deps.log.warn({ environment, error: messageOf(error) }, 'an environment that somebody asked for was not woken')
    } finally {
      waking.delete(environment)
    }
  }
  const stop = deps.routes.follow?.({
    used: (environment) => deps.activity?.note(environment, deps.clock.now()),
    wanted: (environment) => {
      deps.activity?.note(environment, deps.clock.now())
      // A page that loads again asks many times; once is enough.
      if (waking.has(environment)) return
      waking.add(environment)
      void wake(environment)
    },
  })
  return stop ?? (() => undefined)
}
