import { devNull } from 'node:os'
import { expect, it } from 'vitest'
import { helmEnvironment } from './helm-environment.js'

const host = {
  PATH: '/usr/bin',
  HOME: '/root',
  KUBECONFIG: '/root/.kube/config',
  HELM_DRIVER: 'sql',
  HELM_PLUGINS: '/root/plugins',
  KUBERNETES_SERVICE_HOST: '10.0.0.1',
  KUBERNETES_SERVICE_PORT: '443',
  NO_PROXY: 'localhost',
  GOOGLE_APPLICATION_CREDENTIALS: '/root/key.json',
  TRIBUTARY_TOKEN: 'secret',
}

it('reaches the cluster of the pod that the manager runs in', () => {
  const environment = helmEnvironment({ host, home: '/data', cluster: 'in-cluster' })
  expect(environment).toMatchObject({
    KUBERNETES_SERVICE_HOST: '10.0.0.1',
    KUBERNETES_SERVICE_PORT: '443',
    HOME: '/data/helm',
  })
  for (const name of ['KUBECONFIG', 'GOOGLE_APPLICATION_CREDENTIALS', 'TRIBUTARY_TOKEN'])
    expect(environment).not.toHaveProperty(name)
})

it('reaches the context of a kubeconfig that is named, with what credential programs read', () => {
  const cluster = { kubeconfig: '/etc/kubeconfig', kubeContext: 'staging' }
  const environment = helmEnvironment({ host, home: '/data', cluster, registryConfig: '/etc/registry.json' })
  expect(environment).toMatchObject({
    KUBECONFIG: '/etc/kubeconfig',
    HELM_KUBECONTEXT: 'staging',
    HELM_REGISTRY_CONFIG: '/etc/registry.json',
    HOME: '/root',
    GOOGLE_APPLICATION_CREDENTIALS: '/root/key.json',
  })
  expect(environment).not.toHaveProperty('KUBERNETES_SERVICE_HOST')
})

it('reaches none, wherever the manager runs', () => {
  const environment = helmEnvironment({ host, home: '/data', cluster: 'none' })
  expect(environment['KUBECONFIG']).toBe(devNull)
  expect(environment).not.toHaveProperty('KUBERNETES_SERVICE_HOST')
})

it('keeps helm to folders of our own, without plugins', () => {
  for (const cluster of ['in-cluster', 'none', { kubeconfig: '/etc/kubeconfig' }] as const) {
    expect(helmEnvironment({ host, home: '/data', cluster })).toMatchObject({
      HELM_NO_PLUGINS: '1',
      HELM_PLUGINS: '/data/helm/plugins',
      HELM_DRIVER: 'secret',
      HELM_CACHE_HOME: '/data/helm/cache',
      TMPDIR: '/data/helm',
      NO_PROXY: 'localhost',
    })
  }
})
