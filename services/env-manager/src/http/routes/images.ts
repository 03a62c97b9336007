import { BuiltImage, CommitSha, ImageTaken, ServiceName, TenantName } from '@tributary/contract'
import { takeImage } from '../../operations/take-image.js'
import { answers, strictObject, type RouteDeps, type TypedApp } from '../route-deps.js'

/** Images that pipelines have built. */
export function imageRoutes(app: TypedApp, { deps, loop }: RouteDeps): void {
  app.put(
    '/v1/environments/:name/services/:service/images/:commitSha',
    {
      config: { callers: 'change-environment', audit: 'service.image' },
      schema: {
        summary: 'Name the image that was built of a commit, for a service that is deployed when its image is there',
        params: strictObject({ name: TenantName, service: ServiceName, commitSha: CommitSha }),
        body: BuiltImage,
        response: answers({ 202: ImageTaken }),
      },
    },
    async ({ params, body }, reply) => {
      const { name: environment, service, commitSha } = params
      const { outcome, isOutdatingRuns } = await takeImage(deps, { environment, service, commitSha, ...body })
      if (isOutdatingRuns) loop.supersede(environment, `Another image of ${service} was named; a new run takes over`)
      loop.mark(environment)
      return reply.status(202).send({ outcome })
    },
  )
}
