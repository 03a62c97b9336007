import { ServiceName, TenantName } from '@tributary/contract'
import { Type } from 'typebox'
import { failure } from '../../errors.js'
import { getEnvironment } from '../../operations/state/environments.js'
import { hiddenValuesOf, withoutSecrets } from '../../operations/without-secrets.js'
import { strictObject, type RouteDeps, type TypedApp } from '../route-deps.js'
import { streamEvents } from '../server-sent-events.js'

/** What an environment's own services print. */
export function logRoutes(app: TypedApp, { deps, closing }: RouteDeps): void {
  app.get(
    '/v1/environments/:name/logs',
    {
      config: { callers: 'read' },
      schema: {
        summary: 'The last lines of a service, then new ones (Server-Sent Events: `log`, `end`)',
        params: strictObject({ name: TenantName }),
        querystring: strictObject({
          service: ServiceName,
          tailLines: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000, default: 200 })),
          follow: Type.Optional(Type.Boolean({ default: false })),
        }),
        produces: ['text/event-stream'],
      },
    },
    async (request, reply) => {
      const { service, tailLines = 200, follow = false } = request.query
      const record = await getEnvironment(deps.store, request.params.name)
      if (!Object.hasOwn(record.services, service)) {
        throw failure(
          'SERVICE_NOT_FOUND',
          `Reading logs of ${service} in ${record.name}: it deploys no such service; ask the environment that \`tributary explain ${record.name} --call ${service}\` names`,
        )
      }
      await streamEvents(request, reply, async (send, gone) => {
        const signal = AbortSignal.any([gone, closing])
        const hidden = await hiddenValuesOf(deps, record.name)
        const lines = deps.platform.readLogs({ environment: record.name, service }, { tailLines, follow, signal })
        for await (const { at, text } of lines)
          await send('log', { at: new Date(at).toISOString(), source: service, text: withoutSecrets(text, hidden) })
        await send('end', {})
      })
    },
  )
}
