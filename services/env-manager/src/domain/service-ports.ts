import type { Endpoint } from '@tributary/contract'

/** A port of a service's Service. */
export interface ServicePort {
  readonly name: string
  readonly port: number
  readonly targetPort: number
  /** Always written: the API of 1.20 fails without it in a server-side apply. */
  readonly protocol: 'TCP'
}

/** Port that a bare `http://<service>` asks. */
const HTTP_PORT = 80

/** Ports of the Service that stands for endpoints: every one of theirs, and port 80 for the first HTTP one when it is free. Pure. */
export function servicePortsOf(endpoints: readonly Endpoint[]): readonly ServicePort[] {
  const declared = new Map(
    endpoints.map(({ name, port }) => [port, { name, port, targetPort: port, protocol: 'TCP' as const }]),
  )
  const web = endpoints.find(({ protocol }) => protocol === 'http')
  if (web === undefined || declared.has(HTTP_PORT)) return [...declared.values()]
  return [...declared.values(), { name: 'port-80', port: HTTP_PORT, targetPort: web.port, protocol: 'TCP' }]
}
