import type { ChannelInterface } from '@grpc/grpc-js'
import type { Endpoint } from '@tributary/contract'

/** A call to one address. */
export interface CallRoute {
  readonly call: ReturnType<ChannelInterface['createCall']>
  readonly channel: Pick<ChannelInterface, 'getTarget'>
  readonly endpoint: Readonly<Endpoint>
}

/**
 * True when no byte of a call that has ended has left this process, at least in its last attempt, so that nobody can have acted on it.
 *
 * A call of grpc-js gets a stream only on a connection that stands, and its peer is that connection's from then on, also after its end. A call whose
 * last attempt has got none names the target of its channel, which has a scheme (`dns:10.0.0.1:80`) and therefore is never a peer's name.
 * Attempts before the last one are those that grpc-js itself repeats: a server has refused their stream unseen (REFUSED_STREAM, or GOAWAY
 * with an earlier stream), or the program's own retry policy allows it.
 */
export function isUnsent({ call, channel }: CallRoute): boolean {
  return call.getPeer() === channel.getTarget()
}
