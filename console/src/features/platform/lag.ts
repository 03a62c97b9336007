import type { Subscription } from '@tributary/contract'

/** A subscriber, and by how many revisions what it has applied is behind what it was sent. */
export interface Lagging {
  readonly subscription: Subscription
  readonly behind: bigint
}

/** Subscribers with how far each is behind; those with an error first, then those furthest behind. */
export function byLag(subscriptions: readonly Subscription[]): readonly Lagging[] {
  return subscriptions
    .map((subscription) => ({ subscription, behind: behindOf(subscription) }))
    .sort(
      (left, right) =>
        Number(right.subscription.error !== null) - Number(left.subscription.error !== null) ||
        Number(right.behind - left.behind) ||
        (nameOf(left) < nameOf(right) ? -1 : 1),
    )
}

/** True for a subscriber that does not have what it was sent, or could not use it. */
export function isLate({ subscription, behind }: Lagging): boolean {
  return subscription.error !== null || behind > 0n
}

function behindOf({ sentRevision, appliedRevision }: Subscription): bigint {
  const difference = BigInt(sentRevision) - BigInt(appliedRevision)
  return difference > 0n ? difference : 0n
}

function nameOf({ subscription: { tenant, service, instance } }: Lagging): string {
  return `${tenant} ${service ?? ''} ${instance}`
}
