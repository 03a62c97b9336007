import { startChild } from '../../child.js'
import { load, portOf, startSystem, streamRequest, tenantChanges, upTo } from '../../system.js'
import { PAYLOAD, stopAll, type Contender, type ContenderKind } from '../contender.js'

/** The config center on its embedded store: publishing is a write of a config document over HTTP. */
export const ours: ContenderKind = {
  name: 'config center',
  missing: () => undefined,
  async start(count): Promise<Contender> {
    const system = await startSystem()
    const subscribers = startChild('../subscribers.js', import.meta.url)
    const stop = (): Promise<void> => stopAll([system, subscribers])
    try {
      await load(system.client, tenantChanges('integration', null, upTo(4)))
      const request = streamRequest(system, 'integration')
      await subscribers.ask({ port: portOf(system), requests: Array.from({ length: count }, () => request) })
      const target = { tenant: 'integration', service: 'service-0' }
      const publish = (sequence: number): Promise<unknown> =>
        system.client.applyDocument(target, { sequence, payload: PAYLOAD })
      return { name: ours.name, subscribers, serverPid: system.pid, publish, stop }
    } catch (error) {
      await stop()
      throw error
    }
  },
}
