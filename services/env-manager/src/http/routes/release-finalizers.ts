import { ReleasedObjects, TenantName } from '@tributary/contract'
import { releaseFinalizers } from '../../operations/release-finalizers.js'
import { answers, strictObject, type RouteDeps, type TypedApp } from '../route-deps.js'

/** Long enough for many objects, and a bound for one that does not answer. */
const TIMEOUT_MS = 60_000

/** The only way to take finalizers off by force. */
export function releaseFinalizersRoute(app: TypedApp, { deps, loop }: RouteDeps): void {
  app.post(
    '/v1/environments/:name/release-finalizers',
    {
      config: { callers: 'delete-environment', audit: 'environment.release-finalizers' },
      schema: {
        summary:
          'Take finalizers off what holds an environment that is being torn down, without what they stand for being done',
        params: strictObject({ name: TenantName }),
        response: answers({ 200: ReleasedObjects }),
      },
    },
    async ({ params }) => {
      const released = await releaseFinalizers(deps, params.name, AbortSignal.timeout(TIMEOUT_MS))
      loop.mark(params.name)
      return { released: released.map(({ object, finalizers }) => ({ object, finalizers: [...finalizers] })) }
    },
  )
}
