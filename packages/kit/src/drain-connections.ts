import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** How often a server that closes looks for connections that carry no request any more, milliseconds. */
const LOOK_MS = 20
/**
 * How often a connection that has carried nothing yet is found so before it is ended: its first request may be on the way. Looks, not milliseconds:
 * a process that was held up has read nothing meanwhile.
 */
const UNUSED_LOOKS = 5

/**
 * Makes a server able to close as soon as its last request is answered. Call it before the server listens and after its `upgrade` listeners are there;
 * call what it returns when the server is about to close: from then on, until it has closed, each connection is ended once it carries no request.
 * Requests that are under way, and connections that speak another protocol by now, are left alone; how long they may take is the caller's to say. Idempotent.
 *
 * `server.closeIdleConnections()` leaves two kinds: connections whose request is answered after it, and those that never carried one, as clients that
 * keep a pool and browsers open them. Calling it again and again would cut answers that are written and not sent yet.
 */
export function drainConnections(server: Server): () => void {
  const open = new OpenConnections(server)
  let begun = false
  const begin = (): void => {
    const timer = setInterval(() => open.endIdle(), LOOK_MS).unref()
    server.once('close', () => clearInterval(timer))
    open.endIdle()
  }
  return () => {
    if (!begun) begin()
    begun = true
  }
}

class OpenConnections {
  /** With the last answer on each, if there was one. */
  readonly #answers = new Map<Socket, ServerResponse | undefined>()
  readonly #unusedLooks = new Map<Socket, number>()

  constructor(server: Server) {
    const answers = this.#answers
    const forget = (socket: Socket): void => void answers.delete(socket)
    // One for all, that is called on its connection: there may be thousands of them.
    function onClose(this: Socket): void {
      forget(this)
    }
    server.on('connection', (socket: Socket) => {
      answers.set(socket, undefined)
      socket.once('close', onClose)
    })
    server.on('request', ({ socket }: IncomingMessage, answer: ServerResponse) => void answers.set(socket, answer))
    // A listener of ours alone would make the server accept what it knows nothing about.
    if (server.listenerCount('upgrade') > 0) server.on('upgrade', ({ socket }: IncomingMessage) => forget(socket))
  }

  endIdle(): void {
    for (const [socket, answer] of this.#answers) {
      if (answer === undefined ? this.#isUnused(socket) : answer.writableFinished) socket.destroy()
    }
  }

  #isUnused(socket: Socket): boolean {
    const looks = (this.#unusedLooks.get(socket) ?? 0) + 1
    this.#unusedLooks.set(socket, looks)
    return socket.bytesRead === 0 && looks >= UNUSED_LOOKS
  }
}
