/** Headers of one connection only (RFC 9110, 7.6.1, and the de facto ones): never passed on. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * Never dropped for being named in `connection`: without its length the body of a GET would arrive as a second request, of whatever the
 * caller wrote into it (RFC 9110, 7.6.1: no field that is meant for all recipients may be named).
 */
const END_TO_END = new Set(['content-length', 'host'])

/**
 * Tells which headers of a message a proxy passes on: not those of one connection, and not those that its `Connection` header names.
 * @param connection the value of that header. @returns a function of a header's name, in lower case
 */
export function endToEndHeaders(connection: string | undefined): (name: string) => boolean {
  const named = new Set((connection ?? '').split(',').map((name) => name.trim().toLowerCase()))
  return (name) => !HOP_BY_HOP.has(name) && (END_TO_END.has(name) || !named.has(name))
}
