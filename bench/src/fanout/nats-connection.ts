import { connect, type Socket } from 'node:net'

type Handler = (payload: string) => void

/** The little of the NATS protocol that a publisher and a subscriber of a bucket need, on one TCP connection. */
export class NatsConnection {
  readonly #socket: Socket
  readonly #handlers = new Map<string, Handler>()
  #unread: Buffer = Buffer.alloc(0)
  #lastId = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => this.#read(chunk))
    socket.on('error', () => undefined)
  }

  static async open(port: number): Promise<NatsConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    const connection = new NatsConnection(socket)
    socket.write('CONNECT {"verbose":false,"pedantic":false}\r\n')
    return connection
  }

  /** Has `handler` called with the payload of each message of a subject. */
  subscribe(subject: string, handler: Handler): string {
    this.#lastId += 1
    const id = String(this.#lastId)
    this.#handlers.set(id, handler)
    this.#socket.write(`SUB ${subject} ${id}\r\n`)
    return id
  }

  /** Publishes and resolves with the answer. @throws what JetStream says is wrong. */
  async request(subject: string, body: object | string): Promise<void> {
    const inbox = `_INBOX.${process.hrtime.bigint()}.${this.#lastId}`
    const answer = await new Promise<string>((resolve) => {
      const id = this.subscribe(inbox, (payload) => {
        this.#handlers.delete(id)
        this.#socket.write(`UNSUB ${id}\r\n`)
        resolve(payload)
      })
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      this.#socket.write(`PUB ${subject} ${inbox} ${Buffer.byteLength(text)}\r\n${text}\r\n`)
    })
    if (answer.includes('"error"')) throw new Error(`${subject}: ${answer}`)
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk])
    for (;;) {
      const lineEnd = this.#unread.indexOf('\r\n')
      if (lineEnd < 0) return
      const line = this.#unread.toString('latin1', 0, lineEnd)
      const bytes = line.startsWith('MSG ') ? Number(line.slice(line.lastIndexOf(' ') + 1)) : undefined
      const end = lineEnd + 2 + (bytes === undefined ? 0 : bytes + 2)
      if (this.#unread.length < end) return
      if (line === 'PING') this.#socket.write('PONG\r\n')
      const payload = this.#unread.toString('utf8', lineEnd + 2, end - 2)
      this.#unread = this.#unread.subarray(end)
      if (bytes !== undefined) this.#handlers.get(line.split(' ')[2] ?? '')?.(payload)
    }
  }
}
