import { connect, type Socket } from 'node:net'

/** What a {@link ClosedLoop} sends, and to whom. */
export interface ClosedLoopOptions {
  readonly url: string
  /** Sent in turns as `baggage` headers. */
  readonly baggage: readonly string[]
  readonly connections: number
}

const END_OF_HEAD = '\r\n\r\n'

/**
 * Load on plain sockets: each connection asks again as soon as it is answered. It costs a fraction of what an HTTP client does, so that the
 * server is what the machine is busy with.
 */
export class ClosedLoop {
  readonly #requests: readonly Buffer[]
  readonly #connections: readonly Connection[]
  #turn = 0
  #unsent = 0
  #unanswered = 0
  #finish: ((failure?: Error) => void) | undefined

  constructor({ url, baggage, connections }: ClosedLoopOptions) {
    const { host, hostname, port, pathname } = new URL(url)
    this.#requests = baggage.map((member) =>
      Buffer.from(`GET ${pathname} HTTP/1.1\r\nhost: ${host}\r\nbaggage: ${member}${END_OF_HEAD}`),
    )
    const onAnswer = (connection: Connection, status: number): void => this.#onAnswer(connection, status)
    this.#connections = Array.from(
      { length: connections },
      () => new Connection(connect(Number(port), hostname), onAnswer),
    )
  }

  /** Sends so many requests; resolves with the milliseconds until the last answer. Rejects at the first that is not a 200. */
  async run(requests: number): Promise<number> {
    this.#unsent = requests
    this.#unanswered = requests
    const startedAt = performance.now()
    await new Promise<void>((resolve, reject) => {
      this.#finish = (failure) => (failure === undefined ? resolve() : reject(failure))
      for (const connection of this.#connections) this.#send(connection)
    })
    return performance.now() - startedAt
  }

  close(): void {
    for (const { socket } of this.#connections) socket.destroy()
  }

  #send({ socket }: Connection): void {
    const request = this.#requests[this.#turn++ % this.#requests.length]
    if (this.#unsent <= 0 || request === undefined) return
    this.#unsent -= 1
    socket.write(request)
  }

  #onAnswer(connection: Connection, status: number): void {
    if (status !== 200) return this.#finish?.(new Error(`a request is answered with status ${status}`))
    this.#unanswered -= 1
    if (this.#unanswered === 0) this.#finish?.()
    else this.#send(connection)
  }
}

/** Tells when an answer is complete; answers have a `content-length`. */
class Connection {
  readonly socket: Socket
  #held = ''

  constructor(socket: Socket, onAnswer: (connection: Connection, status: number) => void) {
    this.socket = socket.setNoDelay(true)
    socket.setEncoding('latin1').on('data', (text) => {
      this.#held += String(text)
      const head = this.#held.indexOf(END_OF_HEAD)
      if (head === -1) return
      const [, length = '0'] = /content-length: (\d+)/i.exec(this.#held) ?? []
      if (this.#held.length < head + END_OF_HEAD.length + Number(length)) return
      const status = Number(this.#held.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length))
      this.#held = ''
      onAnswer(this, status)
    })
  }
}
