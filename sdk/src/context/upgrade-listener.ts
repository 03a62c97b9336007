import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Tributary } from '../tributary.js'
import { enterRequest } from './enter-request.js'
import { currentContext, runWithContext, type RoutingContext } from './routing-context.js'

/** A listener of the event `upgrade` of a node:http or node:https server. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => unknown

/**
 * Wraps a listener of `upgrade`, so that a WebSocket, or whatever else the connection becomes, lives in the routing context of the request
 * that opened it, with all of its events: `server.on('upgrade', withUpgradeContext(client, listener))`.
 */
export function withUpgradeContext(client: Tributary, listener: UpgradeListener): UpgradeListener {
  return (request, socket, head) => {
    const answer = new EventEmitter()
    enterRequest(client.routing, { request, response: answer }, () => {
      // It may stay open for hours: if it counted as being served, whatever the process does meanwhile would be taken for its work.
      answer.emit('close')
      bindEvents(socket, currentContext())
      listener(request, socket, head)
    })
  }
}

function bindEvents(socket: Duplex, context: RoutingContext): void {
  const emit = socket.emit.bind(socket)
  socket.emit = (...parameters: Parameters<EventEmitter['emit']>) => runWithContext(context, emit, ...parameters)
}
