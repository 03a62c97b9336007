import { sdkError } from '../../errors.js'
import { laneOf } from '../lanes.js'
import type { MessagingClient } from '../messaging-client.js'

/** The topic that is shared, and the consumer group that reads it at the baseline. */
export interface KafkaGroup {
  readonly topic: string
  readonly groupId: string
}

/**
 * Where the consumers of this process's tenant read: the shared topic at the baseline, the lane `<topic>.<tenant>` with its own group elsewhere.
 * @example const { topic, groupId } = laneFor(client, { topic: 'orders', groupId: 'orders' })
 * @throws AppError `SDK_NOT_READY` before the first view
 */
export function laneFor(client: MessagingClient, group: KafkaGroup): KafkaGroup {
  return laneOfTenant(client, group, client.tenant)
}

/**
 * The lanes among `topics` whose tenant does not own the service now: what an environment left when it went. The baseline reads them, each in the
 * lane's own group, so it goes on exactly where the environment's consumers had committed. Empty in a feature environment.
 * @example const lanes = orphanedLanes(client, group, await admin.listTopics())
 */
export function orphanedLanes(
  client: MessagingClient,
  group: KafkaGroup & { readonly service?: string },
  topics: readonly string[],
): readonly KafkaGroup[] {
  const { baseline } = client.messages
  const service = group.service ?? client.service
  if (baseline === undefined || service === undefined || client.tenant !== baseline) return []
  return topics.flatMap((topic) => {
    const tenant = topic.startsWith(`${group.topic}.`) ? topic.slice(group.topic.length + 1) : ''
    // A dot or underscore is in no tenant's name: another topic, or the parking place.
    if (!/^[a-z0-9-]+$/.test(tenant)) return []
    // Not only tenants that are gone: one may have dropped its own copy of the service.
    const decision = client.messages.decide(service, tenant)
    const isOwned = decision.action === 'leave' && decision.owner === tenant
    return isOwned || decision.action === 'wait' ? [] : [laneOfTenant(client, group, tenant)]
  })
}

function laneOfTenant(client: MessagingClient, { topic, groupId }: KafkaGroup, owner: string): KafkaGroup {
  const { baseline } = client.messages
  if (baseline === undefined) {
    throw sdkError('SDK_NOT_READY', `cannot tell where ${topic} is read: no view is held yet; wait for READY`)
  }
  return { topic: laneOf(topic, { owner, baseline }), groupId: laneOf(groupId, { owner, baseline }) }
}
