import type { ConditionFinding } from './conditions.js'
import type { HeaderPlan } from './header-routes.js'

/** Type of the condition that says whether a mesh leads an environment's requests to it. */
export const MESH_ROUTED = 'MeshRouted'

/** How header routes stand after they were made: by plan, or not because of `problem`. */
export function meshFinding({ routes, unroutable }: HeaderPlan, problem: string | undefined): ConditionFinding {
  if (problem !== undefined)
    return { type: MESH_ROUTED, status: 'False', reason: 'RoutesNotPossible', message: problem }
  if (unroutable.length > 0) {
    const message = unroutable.map((one) => one.message).join('\n')
    return { type: MESH_ROUTED, status: 'False', reason: 'OutsideOfCluster', message }
  }
  const services = [...new Set(routes.map(({ service }) => service))]
  const message =
    services.length === 0
      ? 'the environment has no service of its own that one below it has too'
      : `requests of the environment are led by their header: ${services.join(', ')}`
  return { type: MESH_ROUTED, status: 'True', reason: 'RoutesMade', message }
}
