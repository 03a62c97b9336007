import { Agent, Client, buildConnector, type Dispatcher } from 'undici'

/** What carries one call. */
export interface Lane {
  readonly dispatcher: Dispatcher
  /** The call has ended. `isReusable`: its answer is complete, or it was never sent, so that another call may follow. */
  release(isReusable: boolean): void
}

/** Gives every call to a service a lane, and ends them all. */
export interface Lanes {
  take(origin: string): Lane
  close(): Promise<void>
  destroy(cause: Error | null): Promise<void>
}

/** Options that concern one connection. Any other one says how connections are shared, and that is left to undici's agent. */
const OF_ONE_CONNECTION: ReadonlySet<string> = new Set([
  'autoSelectFamily',
  'autoSelectFamilyAttemptTimeout',
  'bodyTimeout',
  'connect',
  'connectTimeout',
  'headersTimeout',
  'keepAliveMaxTimeout',
  'keepAliveTimeout',
  'keepAliveTimeoutThreshold',
  'localAddress',
  'maxCachedSessions',
  'maxHeaderSize',
  'maxRequestsPerClient',
  'maxResponseSize',
  'socketPath',
  'strictContentLength',
] satisfies (keyof Agent.Options)[])

/** Lanes for the options of an undici agent. */
export function createLanes(options: Agent.Options): Lanes {
  return Object.keys(options).every((name) => OF_ONE_CONNECTION.has(name))
    ? new ServiceConnections(options)
    : new AgentLanes(options)
}

class AgentLanes implements Lanes, Lane {
  readonly dispatcher: Agent

  constructor(options: Agent.Options) {
    this.dispatcher = new Agent(options)
  }

  take(): Lane {
    return this
  }

  release(): void {}

  close(): Promise<void> {
    return this.dispatcher.close()
  }

  destroy(cause: Error | null): Promise<void> {
    return this.dispatcher.destroy(cause)
  }
}

/**
 * As many connections to each origin as there are calls at once, each carrying one call at a time: what undici's agent does by default, by
 * a shorter way. A call takes the connection that was free last, without a look at the busy ones. (npm run bench -- context)
 */
export class ServiceConnections implements Lanes {
  readonly #options: Client.Options
  readonly #origins = new Map<string, Origin>()
  #isClosed = false

  constructor(options: Client.Options) {
    this.#options = options
  }

  take(origin: string): Lane {
    if (this.#isClosed) return closedLane(origin)
    let connections = this.#origins.get(origin)
    if (connections === undefined) {
      connections = new Origin(origin, this.#options, () => this.#origins.delete(origin))
      this.#origins.set(origin, connections)
    }
    return connections.take()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#clients.map((client) => client.close()))
  }

  async destroy(cause: Error | null): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#clients.map((client) => client.destroy(cause)))
  }

  get #clients(): readonly Client[] {
    return [...this.#origins.values()].flatMap(({ all }) => [...all].map(({ dispatcher }) => dispatcher))
  }
}

/** The connections to one origin. */
class Origin {
  readonly all = new Set<Connection>()
  readonly idle: Connection[] = []
  readonly #url: string
  readonly #options: Client.Options
  readonly #onEmpty: () => void

  constructor(url: string, options: Client.Options, onEmpty: () => void) {
    const { connect, connectTimeout, maxCachedSessions, socketPath, ...rest } = options
    const { autoSelectFamily, autoSelectFamilyAttemptTimeout } = options
    this.#url = url
    this.#onEmpty = onEmpty
    // One connector for all, as undici's pool has it: they share their TLS sessions.
    const connector =
      typeof connect === 'function'
        ? connect
        : buildConnector({
            ...given({ maxCachedSessions, socketPath, timeout: connectTimeout }),
            ...given({ autoSelectFamily, autoSelectFamilyAttemptTimeout }),
            ...connect,
          })
    // Never more than one call is on its way; but with one, undici would hold each connection back for a turn of the event loop after an
    // answer, and for another one before the next call. The second is the check for what a server sends unasked, and stays.
    this.#options = { ...rest, ...given({ socketPath }), connect: connector, pipelining: 2 }
  }

  take(): Connection {
    const free = this.idle.pop()
    if (free !== undefined) return free.occupy()
    const made = new Connection(new Client(this.#url, this.#options), this)
    this.all.add(made)
    return made
  }

  drop(connection: Connection): void {
    if (!this.all.delete(connection)) return
    const place = this.idle.indexOf(connection)
    if (place !== -1) this.idle.splice(place, 1)
    if (this.all.size === 0) this.#onEmpty()
  }
}

class Connection implements Lane {
  readonly dispatcher: Client
  readonly #origin: Origin
  #isBusy = true
  #isConnected = false

  constructor(client: Client, origin: Origin) {
    this.dispatcher = client
    this.#origin = origin
    const onLost = (): void => {
      this.#isConnected = false
      if (!this.#isBusy) this.#drop()
    }
    client.on('connect', () => {
      this.#isConnected = true
    })
    client.on('disconnect', onLost)
    client.on('connectionError', onLost)
  }

  occupy(): this {
    this.#isBusy = true
    return this
  }

  release(isReusable: boolean): void {
    if (!this.#isBusy) return
    this.#isBusy = false
    if (isReusable && this.#isConnected && !this.dispatcher.closed) this.#origin.idle.push(this)
    else this.#drop()
  }

  #drop(): void {
    this.#origin.drop(this)
    // Not closed: undici would connect once more for a call that was aborted.
    if (!this.dispatcher.closed && !this.dispatcher.destroyed) this.dispatcher.destroy(null, () => undefined)
  }
}

/** undici's own answer to a call after the end. */
function closedLane(origin: string): Lane {
  const dispatcher = new Client(origin)
  dispatcher.close(() => undefined)
  return { dispatcher, release: () => undefined }
}

/** The options that are there: undici takes one that is undefined for one that is set. */
function given<Options extends object>(options: Options): { [Name in keyof Options]?: NonNullable<Options[Name]> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [Name in keyof Options]?: NonNullable<Options[Name]> }
}
