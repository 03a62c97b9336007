import { RequestReport, SleepingEnvironments } from '@tributary/contract'
import type { GatewayReports } from '../../operations/gateway-reports.js'
import { answers, type TypedApp } from '../route-deps.js'

/** Where gateways report. */
export const REQUEST_REPORTS_PATH = '/v1/request-reports'

/** `POST /v1/request-reports`: gateways tell which environments are used and wanted, and hear which are asleep. */
export function requestReportsRoute(app: TypedApp, reports: GatewayReports): void {
  app.post(
    REQUEST_REPORTS_PATH,
    {
      // Every gateway reports every few seconds: its requests are not worth a line each.
      logLevel: 'warn',
      config: { callers: 'report-requests' },
      schema: {
        summary: 'A gateway tells which environments are used, and hears which are asleep',
        body: RequestReport,
        response: answers({ 200: SleepingEnvironments }),
      },
    },
    async ({ body }) => ({ asleep: [...(await reports.take(body))] }),
  )
}
