export { createKubernetesRoutes, type KubernetesRoutesOptions } from './kubernetes-routes.js'
export type { ClusterObjects } from './cluster-objects.js'
