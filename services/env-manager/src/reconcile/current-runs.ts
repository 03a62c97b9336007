import { setMaxListeners } from 'node:events'
import { failure } from '../errors.js'
import { superseded } from '../operations/deploy/deploy-environment.js'

/** The deploys and teardowns of this process that are under way, so that a newer push can take over. */
export class CurrentRuns {
  readonly #deploys = new Map<string, AbortController>()
  readonly #stopping = new AbortController()

  constructor() {
    setMaxListeners(0, this.#stopping.signal)
  }

  /** Aborts when the manager stops: all that ends a teardown early. */
  get stopping(): AbortSignal {
    return this.#stopping.signal
  }

  /** Runs a deploy under a signal that {@link CurrentRuns.supersede} aborts. */
  async deploy<T>(environment: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController()
    this.#deploys.set(environment, controller)
    try {
      const signal = AbortSignal.any([controller.signal, this.stopping])
      // Every service of the environment waits on it side by side, as all teardowns do on the other: to Node more than ten look like a leak.
      setMaxListeners(0, signal)
      return await work(signal)
    } finally {
      this.#deploys.delete(environment)
    }
  }

  /** Ends an environment's deploy, if there is one. Teardowns are not touched. */
  supersede(environment: string, why: string): void {
    this.#deploys.get(environment)?.abort(superseded(why))
  }

  /** Ends everything: the next start goes on. */
  stop(): void {
    this.#stopping.abort(failure('MANAGER_STOPPING', 'The manager is being stopped; the next start goes on'))
  }
}
