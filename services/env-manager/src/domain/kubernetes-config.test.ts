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
        charts: { registries: [], hosts: [] },
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

  it('names registries and hosts for charts, without wildcards, schemes and paths of hosts', () => {
    const charts = (text: string): unknown => platformOf(`platform: { kubernetes: { charts: ${text} } }`)
    const registries = ['registry.example', 'registry.example:5000/team', '10.0.0.1:5000']
    const hosts = ['{environment}.example.com', 'shop-{environment}.example.com', 'shop.example.com']
    expect(charts(JSON.stringify({ registries, hosts }))).toMatchObject({
      kubernetes: { charts: { registries, hosts } },
    })
    for (const registry of [
      'oci://registry.example',
      '*.example',
      'registry.example/',
      'Registry.example',
      'a/../b',
      '',
    ])
      expect(charts(JSON.stringify({ registries: [registry] }))).toEqual([expect.stringMatching(/^4: /)])
    for (const host of [
      '*.example.com',
      'https://a.example.com',
      'a.example.com/x',
      'a.example.com:80',
      '{other}.example.com',
      '',
    ])
      expect(charts(JSON.stringify({ hosts: [host] }))).toEqual([expect.stringMatching(/^4: /)])
  })

  it('takes quantities as numbers and as text', () => {
    const config = kubernetesWithDefaults({ quota: { pods: 3, 'limits.memory': '2Gi' }, limits: { max: { cpu: 2 } } })
    expect(config).toMatchObject({ quota: { pods: '3', 'limits.memory': '2Gi' }, limits: { max: { cpu: '2' } } })
  })
})
