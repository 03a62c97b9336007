import { InstanceId, InstanceLease, RegisterInstance, ServiceName, TenantName, WriteResult } from '@tributary/contract'
import { deregisterInstance } from '../../operations/deregister-instance.js'
import { registerInstance } from '../../operations/register-instance.js'
import type { RouteDeps, TypedApp } from '../route-deps.js'
import { answers, strictObject } from '../route-schemas.js'

const INSTANCE = '/v1/tenants/:tenant/entries/:service/instances/:instance'
const InstanceParams = strictObject({ tenant: TenantName, service: ServiceName, instance: InstanceId })

/** Leased, self-registered processes of an entry. */
export function instanceRoutes(app: TypedApp, { context }: RouteDeps): void {
  app.put(
    INSTANCE,
    {
      config: { access: 'register-instance' },
      schema: {
        summary: 'Register a process under a lease; repeat it at a third of ttlSeconds as the heartbeat',
        params: InstanceParams,
        body: RegisterInstance,
        response: answers({ 200: InstanceLease }),
      },
    },
    async ({ params, body, principal }) => {
      const { storeRevision, ttlSeconds } = await registerInstance(context, { ...params, ...body, principal })
      return { storeRevision: String(storeRevision), ttlSeconds }
    },
  )

  app.delete(
    INSTANCE,
    {
      config: { access: 'register-instance' },
      schema: { summary: 'Deregister a process', params: InstanceParams, response: answers({ 200: WriteResult }) },
    },
    async ({ params, principal }) => {
      const { storeRevision, changed } = await deregisterInstance(context, { ...params, principal })
      return { storeRevision: String(storeRevision), changed }
    },
  )
}
