import type { HeaderRoute } from '../domain/header-routes.js'
import type { MeshRoutes } from '../ports/mesh-routes.js'
import type { PlatformContext, PlatformResource } from '../ports/platform.js'

/** A mesh that keeps the routes it is given: `at/service -> to` by environment. */
export class FakeMesh implements MeshRoutes {
  kind: MeshRoutes['kind'] = 'gamma'
  readonly made = new Map<string, string>()
  /** Thrown by every `apply` while set. */
  problem: Error | undefined

  // The fake platform runs everything at one address.
  hostOf = (): string => '127.0.0.1'

  async apply(
    environment: string,
    routes: readonly HeaderRoute[],
    { record }: Pick<PlatformContext, 'record'>,
  ): Promise<readonly PlatformResource[]> {
    if (this.problem !== undefined) throw this.problem
    if (this.kind === 'none') return []
    const lines = routes.map(({ at, service }) => ({
      kind: 'httproute',
      id: `${at}/${environment}.${service}`,
      environment,
    }))
    for (const [index, line] of lines.entries()) {
      await record(line)
      this.made.set(line.id, routes[index]?.to ?? 'nobody')
    }
    return lines
  }

  async remove({ id }: PlatformResource): Promise<void> {
    this.made.delete(id)
  }

  async verifyGone({ id }: PlatformResource): Promise<{ readonly gone: boolean; readonly evidence: string }> {
    const gone = !this.made.has(id)
    return { gone, evidence: `${gone ? 'no' : 'there is'} ${id}` }
  }

  async list(): Promise<readonly PlatformResource[]> {
    return [...this.made.keys()].map((id) => {
      const environment = id.split('/')[1]?.split('.')[0] ?? ''
      return { kind: 'httproute', id, environment }
    })
  }

  get routes(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.made].sort())
  }
}
