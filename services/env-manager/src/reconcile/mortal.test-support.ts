import type { EnvironmentDependencies } from '../operations/dependencies.js'

/** What changes the world outside the process, by dependency: the moments at which a kill makes a difference. */
type Outside = 'store' | 'platform' | 'configCenter' | 'routes'
const MUTATIONS: Readonly<Record<Outside, ReadonlySet<string>>> = {
  store: new Set(['transact']),
  platform: new Set(['ensureSpace', 'deployWorkload', 'retireWorkloads', 'removeSpace', 'removeResource']),
  configCenter: new Set(['applyTenant', 'deleteTenant', 'transact', 'createToken', 'revokeToken']),
  routes: new Set(['apply', 'remove']),
}

/**
 * One process's life: it ends right after its `lastMutation`-th change of the world, which has happened though nobody hears of it.
 * That is also the world that a process leaves which ends just before its next change.
 */
export class Life {
  mutations = 0
  dead = false
  /** What the process was doing when it ended. */
  lastWords = ''

  constructor(private readonly lastMutation: number) {}

  /** The dependencies as the process sees them; once it is dead nothing it does reaches the world any more. */
  wrap(dependencies: EnvironmentDependencies): EnvironmentDependencies {
    const mortal = <Name extends Outside>(name: Name): EnvironmentDependencies[Name] =>
      this.#mortal(dependencies[name], { name, methods: MUTATIONS[name] })
    const { store, platform, configCenter, routes } = {
      store: mortal('store'),
      platform: mortal('platform'),
      configCenter: mortal('configCenter'),
      routes: mortal('routes'),
    }
    return { ...dependencies, store, platform, configCenter, routes }
  }

  #mortal<Target extends object>(
    target: Target,
    { name, methods }: { readonly name: string; readonly methods: ReadonlySet<string> },
  ): Target {
    return new Proxy(target, {
      get: (object, property, receiver) => {
        const value: unknown = Reflect.get(object, property, object)
        if (typeof value !== 'function' || property === 'watchChanges' || property === 'urlOf') {
          return typeof value === 'function' ? value.bind(object) : Reflect.get(object, property, receiver)
        }
        return async (...given: unknown[]): Promise<unknown> => {
          if (this.dead) throw new Error('killed')
          const counts = methods.has(String(property))
          const isLast = counts && ++this.mutations === this.lastMutation
          if (isLast) this.lastWords = `${name}.${String(property)}`
          const result: unknown = await value.apply(object, given)
          if (isLast) this.dead = true
          if (this.dead) throw new Error('killed')
          return result
        }
      },
    })
  }
}
