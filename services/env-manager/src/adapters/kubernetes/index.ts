export { createKubernetesPlatform, type KubernetesPlatformOptions } from './create-kubernetes-platform.js'
export { loadCredentials, type CredentialChoice, type KubeCredentials } from './api/kube-credentials.js'
