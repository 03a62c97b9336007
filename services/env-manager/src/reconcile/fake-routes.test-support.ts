import type { EnvironmentRoutes, RequestListener } from '../ports/environment-routes.js'

/** A gateway that is a set of names. */
export class FakeRoutes implements EnvironmentRoutes {
  readonly served = new Set<string>()
  readonly suspended = new Set<string>()
  readonly listeners = new Set<RequestListener>()
  follow(listener: RequestListener): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }
  async suspend(environment: string): Promise<void> {
    this.suspended.add(environment)
  }
  resume(environment: string): void {
    this.suspended.delete(environment)
  }
  urlOf(environment: string, service?: string): string {
    return `http://${environment}.localhost:7480/${service === undefined ? '' : `${service}/`}`
  }
  async apply(environment: string): Promise<void> {
    this.served.add(environment)
    this.suspended.delete(environment)
  }
  async remove(environment: string): Promise<void> {
    this.served.delete(environment)
  }
  async verifyGone(environment: string): Promise<{ readonly gone: boolean; readonly evidence: string }> {
    return { gone: !this.served.has(environment), evidence: `the gateway was asked for ${environment}` }
  }
  async list(): Promise<readonly string[]> {
    return [...this.served]
  }
}
