import { ImpactRequest, SchemaMode, WriteImpact, type Subscription } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import { Type } from 'typebox'
import { checkImpact } from '../../operations/check-impact.js'
import type { TypedApp } from '../route-deps.js'
import { answers, strictObject } from '../route-schemas.js'
import type { RouteDeps } from '../route-deps.js'
import type { StreamingDeps } from './streaming-deps.js'

/** What the route works with: operations, and who subscribes. */
export interface ImpactDeps extends RouteDeps {
  readonly streaming: Pick<StreamingDeps, 'hub' | 'subscriptionsElsewhere'>
}

/** `POST /v1/impact`: what a write would do, without making it. */
export function impactRoute(app: TypedApp, { context, streaming }: ImpactDeps): void {
  app.post(
    '/v1/impact',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Try a write on every view that it can be seen in, without making it',
        description:
          'Answers as the write would when it breaks a rule, but for schemas, whose violations are told. The state may have changed by the time of the write: give it an expectedRevision.',
        querystring: strictObject({ schema: Type.Optional(SchemaMode) }),
        body: ImpactRequest,
        response: answers({ 200: WriteImpact }),
      },
    },
    async ({ body, query }) => {
      const subscriptions = await liveSubscriptions(streaming)
      return checkImpact(context, { request: body, schemaMode: query.schema ?? 'own', subscriptions })
    },
  )
}

/** Undefined when another replica does not say who its subscribers are. */
export async function liveSubscriptions({
  hub,
  subscriptionsElsewhere,
}: ImpactDeps['streaming']): Promise<readonly Subscription[] | undefined> {
  try {
    const elsewhere = (await subscriptionsElsewhere?.(undefined)) ?? []
    return [...hub.book.list(), ...elsewhere]
  } catch (error) {
    if (isAppError(error, 'REPLICA_UNREACHABLE')) return undefined
    throw error
  }
}
