import { createServer } from 'node:http'
import { REQUEST_REPORTS_PATH } from './routes/request-reports.js'
import type { TypedApp } from './route-deps.js'

/** A listening {@link openReportDoor}. */
export interface ReportDoor {
  readonly port: number
  /** Ends its connections. */
  close(): Promise<void>
}

/**
 * Listens on a port of its own for reports of gateways alone: a gateway asks whatever address a branch registers, so a network policy may keep it away from the API that
 * deploys, and yet let it report. Authentication is the API's.
 * Rejects with the listen error.
 */
export async function openReportDoor(
  app: TypedApp,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<ReportDoor> {
  await app.ready()
  const server = createServer((request, response) => {
    if (request.method === 'POST' && request.url === REQUEST_REPORTS_PATH) app.routing(request, response)
    else response.writeHead(404, { 'content-length': 0, connection: 'close' }).end()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, resolve)
  })
  const address = server.address()
  return {
    port: address === null || typeof address === 'string' ? port : address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
