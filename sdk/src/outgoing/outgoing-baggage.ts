import { BaggageMember, TENANT_MEMBER, formatBaggage, parseBaggage } from '../context/baggage.js'
import { telemetryMembers } from '../context/open-telemetry.js'
import type { RoutingContext } from '../context/routing-context.js'
import { isTenantKey } from '../context/routing.js'

const TENANT_ANYWHERE = new RegExp(TENANT_MEMBER, 'i')

/**
 * The `baggage` header of a call to a service of the system: the tenant first, then what the program wrote itself, what OpenTelemetry
 * carries and what came with the request. A key that an earlier one of these has is not repeated from a later one. Undefined: no header.
 */
export function baggageToService(context: RoutingContext, written: string | undefined): string | undefined {
  const { tenant } = context
  const stamp = tenant === undefined ? undefined : `${TENANT_MEMBER}=${tenant}`
  const telemetry = telemetryMembers()
  if (written === undefined && telemetry === undefined) return stamped(stamp, context.baggage)
  const sources = [writtenMembers(written), telemetry ?? [], context.baggage]
  const first = stamp === undefined ? undefined : BaggageMember.parse(stamp)
  const header = formatBaggage([...(first === undefined ? [] : [first]), ...mergeByKey(sources)])
  return header === '' ? undefined : header
}

/** What members are written as behind the stamp that they last had: requests of one caller pass on the same list with the same tenant. */
const writtenAs = new WeakMap<
  readonly BaggageMember[],
  { readonly stamp: string | undefined; readonly header: string }
>()

function stamped(stamp: string | undefined, members: readonly BaggageMember[]): string | undefined {
  if (members.length === 0) return stamp
  const known = writtenAs.get(members)
  if (known !== undefined && known.stamp === stamp) return known.header
  const first = stamp === undefined ? undefined : BaggageMember.parse(stamp)
  const header = formatBaggage(first === undefined ? members : [first, ...members])
  writtenAs.set(members, { stamp, header })
  return header
}

/** The `baggage` header of a call to anyone else: what the program wrote, without the tenant. Undefined: no header. */
export function baggageToOutside(written: string | undefined): string | undefined {
  if (written === undefined || !TENANT_ANYWHERE.test(written)) return written
  const header = formatBaggage(writtenMembers(written))
  return header === '' ? undefined : header
}

function writtenMembers(written: string | undefined): readonly BaggageMember[] {
  return written === undefined ? [] : parseBaggage(written).members.filter(({ key }) => !isTenantKey(key))
}

function mergeByKey(sources: readonly (readonly BaggageMember[])[]): BaggageMember[] {
  const merged: BaggageMember[] = []
  for (const members of sources) {
    const taken = new Set(merged.map(({ key }) => key))
    merged.push(...members.filter(({ key }) => !taken.has(key)))
  }
  return merged
}
