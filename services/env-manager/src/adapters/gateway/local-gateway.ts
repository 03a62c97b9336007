import { request as httpRequest } from 'node:http'
import { failure } from '../../errors.js'
import type { EnvironmentRoutes, RequestListener } from '../../ports/environment-routes.js'
import type { GatewayCallbacks } from './callback-address.js'
import type { GatewayDirectory } from './gateway-routing.js'
import { GatewayServer } from './gateway-server.js'
import { localSite, type GatewaySite } from './gateway-site.js'

/** What {@link createLocalGateway} takes: where it listens, and whom it asks. */
export interface LocalGatewayOptions extends GatewayDirectory {
  /** Address to listen on; `127.0.0.1` keeps the previews on this machine. */
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
  /** Default: callback URLs are ordinary paths, which the services look after. */
  readonly callbacks?: GatewayCallbacks
  /** How long a service that refuses connections is tried for, milliseconds. Default 3,000. */
  readonly patienceMs?: number
  /** Told of requests that failed by a bug of the gateway. */
  readonly onError?: (error: unknown) => void
}

/** {@link EnvironmentRoutes} of this machine: one HTTP server in front of all environments. */
export interface LocalGateway extends EnvironmentRoutes {
  /** @throws AppError `GATEWAY_PORT_IN_USE`, `GATEWAY_LISTEN_FAILED` */
  start(): Promise<void>
  /** Ends all connections. Idempotent. */
  close(): Promise<void>
  /** The port that it listens on; before `start` the configured one. */
  readonly port: number
}

/** Serves `http://<environment>.localhost:<port>/<service>/…`. It listens after `start`. */
export function createLocalGateway(options: LocalGatewayOptions): LocalGateway {
  return new ServedHere(options)
}

const LOOPBACKS = ['127.0.0.1', '::1']

class ServedHere implements LocalGateway {
  private readonly environments = new Set<string>()
  private readonly asleep = new Set<string>()
  private readonly listeners = new Set<RequestListener>()
  private readonly site: GatewaySite
  private readonly server: GatewayServer

  constructor(private readonly options: LocalGatewayOptions) {
    this.site = localSite(() => this.port)
    const environments = {
      has: (environment: string) => this.environments.has(environment),
      isAsleep: (environment: string) => this.asleep.has(environment),
      list: () => [...this.environments],
    }
    const onRequest = (environment: string): void => this.tell((listener) => listener.used(environment))
    const onWanted = (environment: string): void => this.tell((listener) => listener.wanted(environment))
    this.server = new GatewayServer({ ...options, site: this.site, environments, onRequest, onWanted })
  }

  get port(): number {
    return this.server.port
  }

  start(): Promise<void> {
    return this.server.start()
  }

  close(): Promise<void> {
    return this.server.close()
  }

  urlOf(environment: string, service?: string): string {
    return `${this.site.originOf(environment)}/${service === undefined ? '' : `${service}/`}`
  }

  follow(listener: RequestListener): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  async suspend(environment: string): Promise<void> {
    this.asleep.add(environment)
  }

  resume(environment: string): void {
    this.asleep.delete(environment)
  }

  async apply(environment: string): Promise<void> {
    this.environments.add(environment)
    this.asleep.delete(environment)
  }

  async remove(environment: string): Promise<void> {
    this.environments.delete(environment)
    this.asleep.delete(environment)
    this.server.endConnections(environment)
  }

  private tell(about: (listener: RequestListener) => void): void {
    for (const listener of this.listeners) about(listener)
  }

  async verifyGone(environment: string): Promise<{ readonly gone: boolean; readonly evidence: string }> {
    if (!this.server.isListening) return { gone: true, evidence: 'the gateway does not listen' }
    const status = await this.askSelf(environment)
    return { gone: status === 404, evidence: `the gateway answers ${status} for ${this.urlOf(environment)}` }
  }

  async list(): Promise<readonly string[]> {
    return [...this.environments].sort()
  }

  private askSelf(environment: string): Promise<number> {
    const host = LOOPBACKS.includes(this.options.host) ? this.options.host : '127.0.0.1'
    const headers = { host: `${environment}.localhost` }
    return new Promise((resolve, reject) => {
      httpRequest({ host, port: this.port, path: '/', agent: false, headers }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
        .once('error', (cause) => {
          const what = `the gateway did not answer itself when asked for ${environment}`
          reject(failure('PLATFORM_UNAVAILABLE', what, { cause }))
        })
        .end()
    })
  }
}
