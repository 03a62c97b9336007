/** The W3C baggage member that carries the routing context: the tenant that a request belongs to. */
export const TENANT_MEMBER = 'tributary-tenant'

/** Bounds of https://www.w3.org/TR/baggage/#limits: beyond them, members may be dropped. */
const MAX_MEMBERS = 64
const MAX_BYTES = 8192

/**
 * The `baggage` header of a request that enters at an environment: `tributary-tenant=<environment>` first, then the members of others that came in,
 * as they are. A tenant that came in is dropped: at the edge the host decides, not the caller.
 */
export function enterTenant(incoming: string | undefined, environment: string): string {
  const own = `${TENANT_MEMBER}=${environment}`
  const foreign = (incoming ?? '')
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '' && keyOf(member) !== TENANT_MEMBER)
  let header = own
  for (const member of foreign.slice(0, MAX_MEMBERS - 1)) {
    if (Buffer.byteLength(header) + Buffer.byteLength(member) + 1 > MAX_BYTES) continue
    header += `,${member}`
  }
  return header
}

/** Keys are case-sensitive tokens; a look-alike is dropped all the same, because not every reader is strict. */
function keyOf(member: string): string {
  return (/^[^=;]*/.exec(member)?.[0] ?? '').trim().toLowerCase()
}
