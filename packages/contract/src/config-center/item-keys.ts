/** Item keys of the stream's channels (see stream.ts for the values). */
export const itemKeys = {
  chain: 'chain',
  service: (service: string): string => `service/${service}`,
  config: (service: string): string => `config/${service}`,
  tenant: (tenant: string): string => `tenant/${tenant}`,
  entry: (tenant: string, service: string): string => `entry/${tenant}/${service}`,
} as const
