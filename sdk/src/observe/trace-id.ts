/** version-traceid-parentid-flags of https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/
const NO_TRACE = '0'.repeat(32)

/** The trace id of a `traceparent` header; undefined when there is none that is valid. */
export function traceIdOf(traceparent: string | readonly string[] | undefined): string | undefined {
  if (typeof traceparent !== 'string') return undefined
  const [, traceId] = TRACEPARENT.exec(traceparent) ?? []
  return traceId === NO_TRACE ? undefined : traceId
}
