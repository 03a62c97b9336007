import { describe, expect, it } from 'vitest'
import { accessProblemsOf } from './chart-access.js'

const NAMESPACE = 'feature-x'
const own = { kind: 'ServiceAccount', name: 'orders', namespace: NAMESPACE }
const binding = (roleRef: object, subjects: unknown = [own]) =>
  accessProblemsOf({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', roleRef, subjects }, NAMESPACE)
const role = (...rules: readonly object[]) =>
  accessProblemsOf({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', rules }, NAMESPACE)
const rule = (group: string, resource: string, ...verbs: readonly string[]) => ({
  apiGroups: [group],
  resources: [resource],
  verbs,
})

describe('a RoleBinding of a chart', () => {
  it('may bind a Role to accounts of its namespace', () => {
    expect(binding({ kind: 'Role', name: 'leader' })).toEqual([])
    expect(binding({ kind: 'Role', name: 'leader' }, [{ kind: 'ServiceAccount', name: 'orders' }])).toEqual([])
  })

  it.each(['cluster-admin', 'tributary-environment', 'view'])('may not bind the ClusterRole %s', (name) => {
    expect(binding({ kind: 'ClusterRole', name })).toMatchObject([expect.stringContaining(`ClusterRole ${name}`)])
  })

  it('is refused without a kind of role', () => {
    expect(binding({})).toHaveLength(1)
  })

  it.each([
    { kind: 'ServiceAccount', name: 'default', namespace: 'kube-system' },
    { kind: 'Group', name: 'system:unauthenticated' },
    { kind: 'User', name: 'mallory' },
  ])('may not give rights to %j', (subject) => {
    expect(binding({ kind: 'Role', name: 'leader' }, [own, subject])).toMatchObject([
      expect.stringContaining(subject.name),
    ])
  })
})

describe('a Role of a chart', () => {
  it('may say what a service needs in its namespace', () => {
    expect(role(rule('coordination.k8s.io', 'leases', 'get', 'create', 'update'), rule('', 'pods', 'list'))).toEqual([])
    expect(role(rule('', 'namespaces', 'get'), rule('networking.k8s.io', 'networkpolicies', 'list', 'watch'))).toEqual(
      [],
    )
  })

  it.each([
    ['everything', rule('*', '*', '*')],
    ['all verbs', rule('', 'pods', '*')],
    ['a subresource of everything', rule('', '*/finalizers', 'update')],
  ])('may not give %s', (_, one) => {
    expect(role(one)).toMatchObject([expect.stringContaining('name groups')])
  })

  it.each([
    ['take the network rules away', rule('networking.k8s.io', 'networkpolicies', 'get', 'delete')],
    ['lift the quota', rule('', 'resourcequotas', 'patch')],
    ['relabel the namespace', rule('', 'namespaces', 'update')],
    ['give rights', rule('rbac.authorization.k8s.io', 'rolebindings', 'create')],
    ['give itself more', rule('rbac.authorization.k8s.io', 'roles', 'escalate')],
    ['be somebody else', rule('', 'serviceaccounts', 'impersonate')],
  ])('may not let a service %s', (_, one) => {
    expect(role(one)).toHaveLength(1)
  })

  it('is looked at only as one of the API server’s own', () => {
    expect(accessProblemsOf({ apiVersion: 'example.com/v1', kind: 'RoleBinding' }, NAMESPACE)).toEqual([])
  })
})
