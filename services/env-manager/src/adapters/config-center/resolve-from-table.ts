import type { Endpoint } from '@tributary/contract'
import type { Tributary } from '@tributary/sdk'

/** Who answers a service in an environment, and what it has. */
export interface Answer {
  readonly state: 'own' | 'inherited' | 'masked'
  readonly owner: string
  readonly endpoint: Endpoint | undefined
}

/**
 * Answers from the SDK's route table of integration's tree, in memory: for a gateway that does not live in the config center's process.
 * An environment that the table does not have yet has no services, rather than those of integration.
 */
export function resolveFromTable(tributary: Pick<Tributary, 'resolve' | 'services'>) {
  let turn = 0
  const resolve = (service: string, environment: string): Answer | undefined => {
    const { state, owner, endpoints, tenant } = tributary.resolve(service, { tenant: environment })
    if (state === 'missing' || owner === null || tenant !== environment) return undefined
    const web = endpoints.filter(({ protocol }) => protocol === 'http' || protocol === 'https')
    turn = (turn + 1) % Number.MAX_SAFE_INTEGER
    return { state, owner, endpoint: web[turn % Math.max(1, web.length)] ?? endpoints[0] }
  }
  return {
    resolve,
    listServices: (environment: string) =>
      tributary.services({ tenant: environment }).flatMap(({ service }) => {
        const answer = resolve(service, environment)
        return answer === undefined ? [] : [{ service, state: answer.state, owner: answer.owner }]
      }),
  }
}
