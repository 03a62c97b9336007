import { BaggageMember, TENANT_MEMBER, parseBaggage } from '../context/baggage.js'
import { textOf } from './lanes.js'
import { BAGGAGE_HEADER } from './messages.js'
import type { MessagingClient } from './messaging-client.js'

/** Headers of a message, as a broker's client has them. */
export type MessageHeaders = Readonly<Record<string, unknown>>

/**
 * What the headers of a message that is sent now bear besides those that it has: its baggage, and its tenant once more under the name of
 * the member. OpenTelemetry's instrumentation of a broker's client writes its own baggage over ours, which does not name the tenant.
 */
export function contextHeaders(client: MessagingClient, headers: MessageHeaders): Record<string, string> {
  const baggage = client.messages.baggage(baggageOf(headers))
  if (baggage === undefined) return {}
  const tenant = tenantIn(baggage)
  return { [BAGGAGE_HEADER]: baggage, ...(tenant !== undefined && { [TENANT_MEMBER]: tenant }) }
}

/** The baggage of a message that has come in, with its tenant. */
export function baggageOf(headers: MessageHeaders | undefined): string | undefined {
  const baggage = textOf(headers?.[BAGGAGE_HEADER])
  const stamp = textOf(headers?.[TENANT_MEMBER])
  if (stamp === undefined || tenantIn(baggage ?? '') !== undefined) return baggage
  const member = BaggageMember.of(TENANT_MEMBER, stamp)?.text
  return [member ?? [], baggage ?? []].flat().join(',')
}

function tenantIn(baggage: string): string | undefined {
  return parseBaggage(baggage).members.find(({ key }) => key === TENANT_MEMBER)?.value
}
