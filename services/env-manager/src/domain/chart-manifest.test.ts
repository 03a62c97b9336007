import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { NO_HOSTS } from './chart-hosts.js'
import { readChartManifest, renderManifest, yamlSafeJson, type KubeObject } from './chart-manifest.js'

const NAMESPACE = 'feature-x'
const CONTEXT = { kubeNamespace: NAMESPACE, hosts: { ...NO_HOSTS, own: 'feature-x.preview.example.com' } }
const objectsOf = (text: string): readonly KubeObject[] => {
  const manifest = readChartManifest(text, CONTEXT)
  if (manifest.problems !== undefined) throw new Error(manifest.problems.join('; '))
  return manifest.objects
}
const problemsOf = (text: string): readonly string[] => readChartManifest(text, CONTEXT).problems ?? []
const object = (kind: string, apiVersion = 'v1', metadata = 'name: a'): string =>
  `---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { ${metadata} }\n`

describe('readChartManifest', () => {
  it('gives every object its namespace and leaves out empty documents', () => {
    const text = `# Source: x\n${object('Service')}---\n# nothing\n${object('Deployment', 'apps/v1', 'name: b, namespace: feature-x')}`
    expect(objectsOf(text)).toEqual([
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a', namespace: NAMESPACE } },
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'b', namespace: NAMESPACE } },
    ])
    expect(objectsOf('')).toEqual([])
  })

  it('takes lists apart, within one another too', () => {
    const inner =
      '{ apiVersion: v1, kind: ConfigMapList, items: [{ apiVersion: v1, kind: ConfigMap, metadata: { name: c } }] }'
    expect(objectsOf(`apiVersion: v1\nkind: List\nitems: [${inner}]\n`)).toMatchObject([
      { kind: 'ConfigMap', metadata: { name: 'c', namespace: NAMESPACE } },
    ])
  })

  it('reads YAML as Helm does', () => {
    const [read] = objectsOf(
      `${object('ConfigMap')}data: { flag: yes, mode: 0644, at: 12:30, day: 2026-11-21 }\nbase: &b { x: 1 }\nmore: { <<: *b }\n`,
    )
    expect(read).toMatchObject({
      data: { flag: true, mode: 420, at: '12:30', day: '2026-11-21' },
      more: { x: 1 },
    })
  })

  it.each([
    [
      'another namespace',
      object('ConfigMap', 'v1', 'name: a, namespace: kube-system'),
      'is for namespace "kube-system"',
    ],
    [
      'the whole cluster',
      object('ClusterRole', 'rbac.authorization.k8s.io/v1'),
      'is not a kind that a service may make',
    ],
    ['a namespace', object('Namespace'), 'is not a kind that a service may make'],
    [
      'custom kinds',
      object('CustomResourceDefinition', 'apiextensions.k8s.io/v1'),
      'is not a kind that a service may make',
    ],
    ['webhooks', object('ValidatingWebhookConfiguration', 'admissionregistration.k8s.io/v1'), 'is not a kind that'],
    ['flow control', object('FlowSchema', 'flowcontrol.apiserver.k8s.io/v1'), 'is not a kind that a service may make'],
    ['bounds of its environment', object('ResourceQuota'), "a ResourceQuota is the platform's to set"],
    ['network rules', object('NetworkPolicy', 'networking.k8s.io/v1'), "a NetworkPolicy is the platform's to set"],
    ['network rules of old', object('NetworkPolicy', 'extensions/v1beta1'), "a NetworkPolicy is the platform's to set"],
  ])('refuses %s', (_what, text, why) => {
    expect(problemsOf(text)).toMatchObject([expect.stringContaining(why)])
  })

  it('refuses a binding to the role that the manager has in the namespace', () => {
    const role = '{ apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: tributary-environment }'
    const subjects = '[{ kind: ServiceAccount, name: default, namespace: feature-x }]'
    const text = `${object('RoleBinding', 'rbac.authorization.k8s.io/v1')}roleRef: ${role}\nsubjects: ${subjects}\n`
    expect(problemsOf(text)).toEqual([
      'RoleBinding "a" binds the ClusterRole tributary-environment; bind a Role of the chart itself, which says what it needs',
    ])
  })

  it('finds what hides in a list, behind a merge key or a second name', () => {
    const evil = '{ apiVersion: v1, kind: Secret, metadata: { name: s, namespace: kube-system } }'
    expect(problemsOf(`apiVersion: v1\nkind: List\nitems: [${evil}]\n`)).toHaveLength(1)
    const merged = 'base: &b { namespace: kube-system, name: s }\napiVersion: v1\nkind: Secret\nmetadata: { <<: *b }\n'
    expect(problemsOf(merged)).toMatchObject([expect.stringContaining('kube-system')])
    const twice = 'apiVersion: v1\nkind: Secret\nmetadata: { name: s, namespace: feature-x, namespace: kube-system }\n'
    expect(problemsOf(twice)).toMatchObject([expect.stringContaining('Map keys must be unique')])
  })

  it('lets custom kinds through that live in the namespace', () => {
    expect(objectsOf(object('Certificate', 'cert-manager.io/v1'))).toHaveLength(1)
  })

  it('lets routes of the environment’s own host through, and names those that claim another one', () => {
    const route = (host: string): string =>
      `${object('HTTPRoute', 'gateway.networking.k8s.io/v1')}spec: { parentRefs: [{ name: edge }], hostnames: [${host}] }\n`
    expect(objectsOf(route('feature-x.preview.example.com'))).toHaveLength(1)
    const ingress = `${object('Ingress', 'networking.k8s.io/v1')}spec: { rules: [{ host: console.example.com }] }\n`
    expect(problemsOf(`${route('console.example.com')}${ingress}`)).toEqual([
      expect.stringContaining('HTTPRoute "a" claims the host "console.example.com"'),
      expect.stringContaining('Ingress "a" claims the host "console.example.com"'),
    ])
  })

  it.each([
    ['text', 'hello', 'an object without apiVersion, kind or metadata.name: "hello"'],
    ['an object without a name', 'apiVersion: v1\nkind: Secret\nmetadata: {}', 'an object without'],
    ['a namespace that is no text', object('Secret', 'v1', 'name: a, namespace: 5'), 'an object without'],
    ['an object without a kind', 'apiVersion: v1\nmetadata: { name: a }', 'an object without'],
    ['a kind that is no text', 'apiVersion: v1\nkind: 5\nmetadata: { name: a }', 'an object without'],
    [
      'a number that loses digits',
      `${object('ConfigMap')}data: { id: 12345678901234567890 }`,
      'a number that JSON cannot hold',
    ],
    ['no number', `${object('ConfigMap')}data: { x: .nan }`, 'a number that JSON cannot hold'],
    ['broken YAML', 'a: [', 'the templates make YAML that cannot be read'],
    ['a YAML bomb', bomb(), 'the templates make YAML that cannot be read: Excessive alias count'],
  ])('refuses %s', (_what, text, why) => {
    expect(problemsOf(text)).toMatchObject([expect.stringContaining(why)])
  })

  it('writes what it has read so that any parser reads it the same', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (data) => {
        const text = renderManifest([
          { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data } as KubeObject,
        ])
        const documents = parseAllDocuments(text)
        expect(documents.map((document): unknown => document.toJS())).toEqual([
          { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data },
        ])
        // Helm splits before it parses.
        expect(text.match(/^---/gm)).toHaveLength(1)
      }),
    )
  })
})

function bomb(): string {
  const levels = 'abcdefghij'
    .split('')
    .map((name, index, all) =>
      index === 0
        ? `${name}: &${name} [x]`
        : `${name}: &${name} [${Array.from({ length: 9 }, () => `*${all[index - 1]}`).join(', ')}]`,
    )
  return `${object('ConfigMap')}${levels.join('\n')}\n`
}

describe('yamlSafeJson', () => {
  it('is the same value as JSON, without what YAML reads in another way', () => {
    const unruly = fc.oneof(
      fc.string({ unit: 'binary' }).filter((text) => !/\p{Surrogate}/u.test(text)),
      fc.constantFrom('\u0085', 'a\u2028b', '\u2029', '\uFEFFx', '\u007F', '\u009F', '\uFFFE', ' \n\t'),
    )
    fc.assert(
      fc.property(fc.dictionary(fc.string(), unruly), (value) => {
        const text = yamlSafeJson(value)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(text).not.toMatch(/[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/)
      }),
    )
  })
})
