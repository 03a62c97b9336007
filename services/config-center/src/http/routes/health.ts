import { StoreRevisionText } from '@tributary/contract'
import { Type } from 'typebox'
import { failure } from '../../errors.js'
import type { RouteDeps, TypedApp } from '../route-deps.js'
import { answers, strictObject } from '../route-schemas.js'

const Ready = strictObject({ status: Type.Literal('ready'), storeRevision: StoreRevisionText })

/** Probes come every few seconds: their requests are not worth a line each. */
const QUIET = { logLevel: 'warn' } as const

/** `/healthz`: the process answers. `/readyz`: it follows the store. Both are open and hold no data. */
export function healthRoutes(app: TypedApp, { context }: RouteDeps): void {
  app.get(
    '/healthz',
    {
      ...QUIET,
      config: { access: 'open' },
      exposeHeadRoute: true,
      schema: { summary: 'The process is alive', response: { 200: strictObject({ status: Type.Literal('ok') }) } },
    },
    async () => ({ status: 'ok' as const }),
  )

  app.get(
    '/readyz',
    {
      ...QUIET,
      config: { access: 'open' },
      exposeHeadRoute: true,
      schema: { summary: 'The replica follows the store', response: answers({ 200: Ready }) },
    },
    async () => {
      const { health, catalog } = context.live
      if (health.state === 'live') return { status: 'ready' as const, storeRevision: String(catalog.storeRevision) }
      throw failure('NOT_READY', 'This replica has lost the store and serves what it had; it goes on trying.', {
        details: { since: new Date(health.since).toISOString() },
      })
    },
  )
}
