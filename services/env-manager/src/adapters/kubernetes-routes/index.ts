export { createKubernetesRoutes } from './kubernetes-routes.js'
