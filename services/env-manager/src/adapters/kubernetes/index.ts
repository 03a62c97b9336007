export { createKubernetesPlatform } from './create-kubernetes-platform.js'
export { openCluster } from './open-cluster.js'
