export { createKubernetesRoutes } from './kubernetes-routes.js'
export { createMeshRoutes } from './mesh/create-mesh-routes.js'
export { reviewMesh } from './mesh/review-mesh.js'
