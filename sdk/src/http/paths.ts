/** Paths of the config center's API that the SDK uses; every part is escaped. */
export const paths = {
  stream: (tenant: string, query: URLSearchParams): string => `${ofTenant(tenant)}/stream?${query.toString()}`,
  view: (tenant: string, service: string | undefined): string =>
    `${ofTenant(tenant)}/view${service === undefined ? '' : `?service=${encodeURIComponent(service)}`}`,
  instance: (tenant: string, service: string, instance: string): string =>
    `${ofTenant(tenant)}/entries/${encodeURIComponent(service)}/instances/${encodeURIComponent(instance)}`,
  calls: (subscriptionId: string): string => `/v1/subscriptions/${encodeURIComponent(subscriptionId)}/calls`,
  applied: (subscriptionId: string): string => `/v1/subscriptions/${encodeURIComponent(subscriptionId)}/applied`,
} as const

function ofTenant(tenant: string): string {
  return `/v1/tenants/${encodeURIComponent(tenant)}`
}
