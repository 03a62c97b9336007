import { startChild } from '../../child.js'
import { PAYLOAD, stopAll, type Contender, type ContenderKind } from '../contender.js'

/** The floor: a bare socket server that writes the same bytes to every connection. Nothing is stored. */
export const floor: ContenderKind = {
  name: 'bare socket server',
  missing: () => undefined,
  async start(count): Promise<Contender> {
    const server = startChild('../floor-server.js', import.meta.url)
    const subscribers = startChild('../subscribers.js', import.meta.url)
    const { port } = await server.ask<{ readonly port: number }>({ start: true })
    await subscribers.ask({ port, requests: Array.from({ length: count }, () => '') })
    return {
      name: floor.name,
      subscribers,
      serverPid: server.pid,
      publish: (sequence) => server.ask({ publish: frame(sequence) }),
      stop: () => stopAll([server, subscribers]),
    }
  },
}

/** A delta frame as the config center sends it, byte for byte in length. */
function frame(sequence: number): string {
  const data = {
    from: String(sequence),
    to: String(sequence + 1),
    hash: '0'.repeat(64),
    changes: [{ key: 'config/service-0', value: { sequence, payload: PAYLOAD } }],
  }
  return `id: ${sequence + 1}\nevent: view.delta\ndata: ${JSON.stringify(data)}\n\n`
}
