/**
 * Why a connection ended, and with that what the next one does:
 *
 * | cause | next |
 * | --- | --- |
 * | closed, network, silent, protocol | reconnects and resumes |
 * | unavailable | the same, not before `Retry-After` |
 * | goodbye | reconnects within the window that the server gives |
 * | resync | reconnects; the channel that is out of step gets a snapshot |
 * | behind | asks by a linearizable read whether the server's history was reset; if so starts over, else tries again |
 * | refused | 401, 403, 404, deleted tenant, revoked token: retried slowly, state ERROR |
 * | aborted | none: the client closes |
 */
export interface StreamEnd {
  readonly cause:
    | 'closed'
    | 'network'
    | 'silent'
    | 'protocol'
    | 'unavailable'
    | 'goodbye'
    | 'resync'
    | 'behind'
    | 'refused'
    | 'aborted'
  readonly message: string
  /** Not before this. */
  readonly retryAfterMs?: number
  /** What the server said in its goodbye. */
  readonly reconnectWindowMs?: number
}
