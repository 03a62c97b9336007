export { createKubernetesPlatform, type KubernetesPlatformOptions } from './create-kubernetes-platform.js'
export { openCluster, type Cluster } from './open-cluster.js'
export { RESOURCES } from './api/kube-objects.js'
export { LABELS } from './names.js'
