import type { Convergence } from '@tributary/contract'
import { isAppError, type Clock } from '@tributary/kit'
import type { ConvergenceRequest, ConvergenceWatcher } from '../ports/convergence.js'
import type { ReplicaClient } from './replica-client.js'
import type { ReplicaDirectory } from './replica-directory.js'

/** What the wait across replicas is made of. */
export interface ClusterConvergenceOptions {
  /** Of this replica's own subscribers. */
  readonly own: ConvergenceWatcher
  readonly directory: ReplicaDirectory
  readonly client: ReplicaClient
  readonly clock: Clock
}

/** What the replicas answered together; undefined: one of them does not answer. */
type Pass = Convergence | undefined

const RETRY_MS = 200

/**
 * Waits for the subscribers of all replicas. Every replica is asked to wait for its own; when all have, everyone is asked once
 * more how things stand, because a subscriber may have moved from one that had not finished to one that had. A replica that does
 * not answer is asked again until its lease has ended: its subscribers then count as gone.
 */
export class ClusterConvergence implements ConvergenceWatcher {
  readonly #options: ClusterConvergenceOptions

  constructor(options: ClusterConvergenceOptions) {
    this.#options = options
  }

  async wait(request: ConvergenceRequest): Promise<Convergence> {
    const { directory, own, clock } = this.#options
    const deadline = clock.monotonicMs() + request.timeoutMs
    const left = (): number => Math.max(0, Math.ceil(deadline - clock.monotonicMs()))
    for (;;) {
      const isAlone = directory.peers.length === 0
      if (isAlone) {
        const result = await own.wait({ ...request, timeoutMs: left() })
        if (directory.peers.length === 0) return result
      }
      const outcome = await this.#round(request, left)
      request.signal.throwIfAborted()
      if (outcome !== undefined) return outcome
      if (left() === 0) return unfinished(request)
      await clock.sleep(Math.min(RETRY_MS, left()), request.signal)
    }
  }

  /** Undefined: nothing can be said yet. */
  async #round(request: ConvergenceRequest, left: () => number): Promise<Pass> {
    const waited = await this.#ask({ ...request, timeoutMs: left() })
    // Laggards at once are those that have reported an error; they are an answer, and so are those at the deadline.
    if (waited === undefined || !waited.converged || request.timeoutMs === 0) return waited
    const confirmed = await this.#ask({ ...request, timeoutMs: 0 })
    return confirmed?.converged === true || left() === 0 ? confirmed : undefined
  }

  async #ask(request: ConvergenceRequest): Promise<Pass> {
    const { directory, own, client } = this.#options
    const peers = directory.peers.map((peer) => client.convergence(peer, request))
    const answers = await Promise.allSettled([own.wait(request), ...peers])
    request.signal.throwIfAborted()
    const results: Convergence[] = []
    for (const answer of answers) {
      if (answer.status === 'fulfilled') results.push(answer.value)
      else if (!isAppError(answer.reason, 'REPLICA_UNREACHABLE')) throw answer.reason
    }
    return results.length === answers.length ? joined(request, results) : undefined
  }
}

function joined({ storeRevision }: ConvergenceRequest, results: readonly Convergence[]): Convergence {
  return {
    storeRevision: `${storeRevision}`,
    converged: results.every(({ converged }) => converged),
    affected: results.reduce((sum, { affected }) => sum + affected, 0),
    laggards: results.flatMap(({ laggards }) => laggards),
  }
}

/** Not known to be converged: a replica did not answer up to the deadline. */
function unfinished({ storeRevision }: ConvergenceRequest): Convergence {
  return { storeRevision: `${storeRevision}`, converged: false, affected: 0, laggards: [] }
}
