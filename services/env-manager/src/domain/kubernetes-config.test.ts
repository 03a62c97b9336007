import { describe, expect, it } from 'vitest'
import { kubernetesWithDefaults } from './kubernetes-config.js'
import { parsePlatformConfig } from './platform-config.js'

const head = 'apiVersion: tributary/v1\nkind: Platform\nrepositories: [{ name: shop, url: /srv/shop.git }]\n'
const platformOf = (yaml: string): unknown => {
  const parsed = parsePlatformConfig('p.yaml', `${head}${yaml}`)
  return 'config' in parsed ? parsed.config.platform : parsed.problems.map(({ line, message }) => `${line}: ${message}`)
}

describe('the platform of a configuration', () => {
  it('is this machine unless something else is said', () => {
    expect(platformOf('')).toEqual({ kind: 'local' })
    expect(platformOf('platform: { local: {} }')).toEqual({ kind: 'local' })
  })

  it('is a cluster with careful defaults when it says so', () => {
    expect(platformOf('platform: { kubernetes: {} }')).toEqual({
      kind: 'kubernetes',
      kubernetes: expect.objectContaining({
        clusterDomain: 'cluster.local',
        systemNamespace: 'tributary',
        namespacePrefix: '',
        quota: { pods: '50' },
        limits: { defaultRequest: { cpu: '50m', memory: '64Mi' } },
        networkPolicies: { enabled: true, allowFromNamespaces: [] },
        imagePullSecrets: [],
        copySecrets: [],
        values: {},
        workloadIdentity: false,
      }),
    })
  })

  it('is one of them, and knows no other word', () => {
    expect(platformOf('platform: { local: {}, kubernetes: {} }')).toEqual([expect.stringContaining('4: ')])
    expect(platformOf('platform:\n  kubernetes:\n    namspacePrefix: x-')).toEqual([
      expect.stringMatching(/^6: .*namspacePrefix.*namespacePrefix/),
    ])
    expect(platformOf('platform: { kubernetes: { namespacePrefix: Team } }')).toEqual([expect.stringContaining('4: ')])
  })

  it('takes quantities as numbers and as text', () => {
    const config = kubernetesWithDefaults({ quota: { pods: 3, 'limits.memory': '2Gi' }, limits: { max: { cpu: 2 } } })
    expect(config).toMatchObject({ quota: { pods: '3', 'limits.memory': '2Gi' }, limits: { max: { cpu: '2' } } })
  })
})
