/** The id of a replica's nth subscription. It names the replica, so that reports that reach another one find their way. */
export function subscriptionIdOf(replicaId: string, count: number): string {
  return `${replicaId}.${count}`
}

/** The replica that a subscription's id names; undefined when it is no id of a subscription. */
export function replicaOfSubscription(subscriptionId: string): string | undefined {
  return /^([0-9a-f-]{36})\.[0-9]+$/.exec(subscriptionId)?.[1]
}
