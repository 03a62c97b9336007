import { describe, expect, it } from 'vitest'
import { readIdentityConfig } from './identity-config.js'

const POD = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' }
const ON = { TRIBUTARY_WORKLOAD_IDENTITY: 'kubernetes', TRIBUTARY_WORKLOAD_INSTANCE: 'main' }

function read(env: Readonly<Record<string, string>>) {
  const problems: string[] = []
  return { config: readIdentityConfig(env, problems), problems }
}

describe('readIdentityConfig', () => {
  it('is off unless it is switched on, in a pod too', () => {
    expect(read({})).toEqual({ config: undefined, problems: [] })
    expect(read({ ...POD, TRIBUTARY_WORKLOAD_IDENTITY: 'off' })).toEqual({ config: undefined, problems: [] })
  })

  it('takes the pod’s own cluster and account', () => {
    const folder = '/var/run/secrets/kubernetes.io/serviceaccount'
    expect(read({ ...POD, ...ON })).toEqual({
      config: {
        instance: 'main',
        namespacePrefix: '',
        audience: 'tributary',
        roles: new Map(),
        api: { url: 'https://10.0.0.1:6443', tokenFile: `${folder}/token`, caFile: `${folder}/ca.crt` },
      },
      problems: [],
    })
    expect(read({ ...ON, KUBERNETES_SERVICE_HOST: 'fd00::1' }).config?.api.url).toBe('https://[fd00::1]:443')
  })

  it('gives roles to accounts', () => {
    const { config } = read({
      ...POD,
      ...ON,
      TRIBUTARY_WORKLOAD_ROLES: 'system/env-manager=deployer, system/gateway=viewer',
    })
    expect([...(config?.roles ?? [])]).toEqual([
      ['system/env-manager', 'deployer'],
      ['system/gateway', 'viewer'],
    ])
  })

  it.each([
    [{ ...POD, TRIBUTARY_WORKLOAD_IDENTITY: 'yes' }, 'TRIBUTARY_WORKLOAD_IDENTITY is "yes"'],
    [{ ...POD, ...ON, TRIBUTARY_WORKLOAD_INSTANCE: 'a b' }, 'TRIBUTARY_WORKLOAD_INSTANCE must'],
    [{ ...POD, ...ON, TRIBUTARY_WORKLOAD_NAMESPACE_PREFIX: 'team' }, 'TRIBUTARY_WORKLOAD_NAMESPACE_PREFIX must'],
    [{ ...POD, ...ON, TRIBUTARY_WORKLOAD_AUDIENCE: '' }, 'TRIBUTARY_WORKLOAD_AUDIENCE is empty'],
    [{ ...POD, ...ON, TRIBUTARY_WORKLOAD_ROLES: 'a/b=tenant' }, 'TRIBUTARY_WORKLOAD_ROLES holds "a/b=tenant"'],
    [{ ...POD, ...ON, TRIBUTARY_WORKLOAD_ROLES: 'b=admin' }, 'TRIBUTARY_WORKLOAD_ROLES holds "b=admin"'],
    [{ ...ON }, 'TRIBUTARY_KUBERNETES_URL is missing'],
    [{ ...ON, TRIBUTARY_KUBERNETES_URL: 'https://u:p@x' }, 'TRIBUTARY_KUBERNETES_URL is not'],
  ])('says what is wrong: %j', (env, problem) => {
    expect(read(env).problems).toEqual([expect.stringContaining(problem)])
  })
})
