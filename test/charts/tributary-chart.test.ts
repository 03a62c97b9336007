import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ENV_MANAGER_PERMISSIONS, MESH_PERMISSIONS, parsePlatformConfig } from '@tributary/env-manager'
import { repositoryRoot } from '@tributary/testkit'
import { describe, expect, it } from 'vitest'
import { renderPermissions } from '../../tools/lib/permissions-reference.mjs'
import { helm, renderChart, type RenderedObject, type RenderOptions } from '../support/rendered-chart.js'

const repositories = [{ name: 'shop', url: 'https://git.example.com/shop.git' }]
const etcd = { kind: 'etcd', etcd: { endpoints: ['https://etcd:2379'], secret: 'etcd', ca: true, credentials: true } }
/** Every switch on. */
const everything = {
  repositories,
  imagePullSecrets: [{ name: 'registry' }],
  settings: { pollSeconds: 5 },
  settingsYaml: 'ttlHours: null',
  kubernetes: { quota: { pods: 20 }, imagePullSecrets: ['registry'], copySecrets: ['wildcard'] },
  previews: {
    url: 'https://{environment}.preview.example.com',
    kind: 'ingress',
    ingressClass: 'nginx',
    tlsSecret: 'preview-tls',
    annotations: { a: 'b' },
    gateway: { name: 'edge' },
  },
  store: etcd,
  configCenter: { replicas: 3 },
  envManager: { replicas: 2, envFromSecrets: ['git'], homeSecret: 'git-home' },
  console: { ingress: { enabled: true, host: 'tributary.example.com', tlsSecret: 'tls' } },
  networkPolicies: { allowFromNamespaces: ['ingress-nginx'] },
  serviceMonitor: { enabled: true, tokenSecret: { name: 'metrics' } },
  labels: { team: 'platform' },
  nodeSelector: { disk: 'ssd' },
  tolerations: [{ key: 'system', operator: 'Exists' }],
}
const POLICY = 'admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy'
const release = { name: 'tributary', namespace: 'tributary' }

const render = (values: object = {}, options: RenderOptions = {}): Promise<RenderedObject[]> =>
  renderChart('tributary', { release, ...options, values: { repositories, ...values } })

function get(objects: readonly RenderedObject[], kind: string, name: string): RenderedObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name)
  if (found === undefined) throw new Error(`the chart makes no ${kind} ${name}`)
  return found
}

const names = (objects: readonly RenderedObject[], kind: string): string[] =>
  objects
    .filter((object) => object.kind === kind)
    .map(({ metadata }) => metadata.name)
    .toSorted()

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly resourceNames?: readonly string[]
}

const rulesOf = (object: RenderedObject): readonly Rule[] => object['rules'] as readonly Rule[]

/** Pod templates with what they belong to. */
const podsOf = (objects: readonly RenderedObject[]) =>
  objects.flatMap(({ kind, metadata, spec }) =>
    spec?.template === undefined ? [] : [{ name: `${kind} ${metadata.name}`, pod: spec.template.spec }],
  )

describe('charts/tributary', () => {
  it.each([
    ['with the least that it needs', { repositories }],
    ['with everything', everything],
  ])('is found good by helm lint %s', async (_, values) => {
    const folder = join(repositoryRoot, 'charts/tributary')
    const args = ['lint', '--strict', '--kube-version=v1.28.0', '-f', '-', '--', folder]
    expect(await helm(args, JSON.stringify(values))).toContain('0 chart(s) failed')
  })

  it.each([
    [{}, /repositories/],
    [{ repositories: [] }, /repositories/],
    [{ repositories, instanc: 'x' }, /instanc/],
    [{ repositories, previews: { url: 'https://preview.example.com' } }, /previews\/url|previews\.url/],
    [{ repositories, settings: { platform: {} } }, /settings/],
    [{ repositories, settingsYaml: 'pollSeconds: 1\nplatform: {}' }, /settingsYaml/],
    [{ repositories, kubernetes: { access: {} } }, /kubernetes/],
    [{ repositories, kubernetes: { mesh: 'linkerd' } }, /mesh/],
    [{ repositories, store: { kind: 'etcd' } }, /endpoints/],
    [{ repositories, configCenter: { replicas: 2 } }, /store.kind to etcd/],
    [{ repositories, envManager: { replicas: 2 } }, /store.kind to etcd/],
    [{ repositories, serviceMonitor: { enabled: true } }, /viewer's token/],
    [
      { repositories, envManager: { environmentRules: [{ apiGroups: [''], resources: ['*'], verbs: ['get'] }] } },
      /environmentRules/,
    ],
  ])('refuses %j', async (values, problem) => {
    await expect(renderChart('tributary', { release, values })).rejects.toThrow(problem)
  })

  it('makes the same kinds on 1.20 and later, but for versions of APIs', async () => {
    const old = await render({}, { kubeVersion: 'v1.20.2' })
    const current = await render({}, { kubeVersion: 'v1.31.0' })
    expect(old.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(
      current.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    )
    const budget = (objects: RenderedObject[]): string =>
      get(objects, 'PodDisruptionBudget', 'tributary-gateway').apiVersion
    expect([budget(old), budget(current)]).toEqual(['policy/v1beta1', 'policy/v1'])
  })

  it('passes the configuration on as the env-manager reads it', async () => {
    const objects = await render(everything)
    const file = get(objects, 'ConfigMap', 'tributary-env-manager')['data'] as Record<string, string>
    const parsed = parsePlatformConfig('tributary.config.yaml', file['tributary.config.yaml'] ?? '')
    expect(parsed).toMatchObject({
      config: {
        instance: 'tributary',
        pollSeconds: 5,
        ttlHours: null,
        repositories: [{ name: 'shop' }],
        platform: {
          kind: 'kubernetes',
          kubernetes: {
            systemNamespace: 'tributary',
            quota: { pods: '20' },
            workloadIdentity: true,
            routes: {
              url: 'https://{environment}.preview.example.com',
              gatewayService: 'tributary-gateway',
              tlsSecret: 'preview-tls',
              gateway: { name: 'edge' },
            },
            access: {
              clusterRole: 'tributary.tributary-environment',
              serviceAccount: { name: 'tributary-env-manager', namespace: 'tributary' },
            },
          },
        },
      },
    })
    expect(names(objects, 'ClusterRole')).toContain('tributary.tributary-environment')
  })

  it('starts the env-manager anew when its configuration changes', async () => {
    const sum = async (values: object): Promise<string> =>
      get(await render(values), 'Deployment', 'tributary-env-manager').spec.template.metadata.annotations[
        'checksum/config'
      ]
    expect(await sum({})).not.toBe(await sum({ settings: { pollSeconds: 7 } }))
  })

  it('keeps what the embedded store is on, and makes no volumes for etcd', async () => {
    const [claim] = (await render()).filter(({ kind }) => kind === 'PersistentVolumeClaim')
    expect(claim?.metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' })
    expect(names(await render({ store: etcd }), 'PersistentVolumeClaim')).toEqual([])
    expect(names(await render({ persistence: { enabled: false } }), 'PersistentVolumeClaim')).toEqual([])
  })

  it.each(['embedded', 'etcd'] as const)(
    'gives both servers, and nobody else, the key that encrypts a store of kind %s',
    async (kind) => {
      const store = { ...(kind === 'etcd' ? etcd : {}), encryption: { secret: 'store-key' } }
      const deployments = (await render({ store })).filter((object) => object.kind === 'Deployment')
      const having = deployments.filter((object) => JSON.stringify(object).includes('"secretName":"store-key"'))
      expect(having.map(({ metadata }) => metadata.name).toSorted()).toEqual([
        'tributary-config-center',
        'tributary-env-manager',
      ])
      for (const object of having) {
        const text = JSON.stringify(object)
        expect(text).toContain('{"name":"TRIBUTARY_STORE_KEY_FILE","value":"/etc/tributary/encryption/store-key"}')
        expect(text).toContain('"mountPath":"/etc/tributary/encryption"')
      }
      expect(JSON.stringify(await render())).not.toContain('TRIBUTARY_STORE_KEY_FILE')
    },
  )

  it('rolls the config center with etcd, and has one at a time with a file', async () => {
    const strategy = async (values: object): Promise<string> =>
      get(await render(values), 'Deployment', 'tributary-config-center').spec.strategy.type
    expect([await strategy({}), await strategy({ store: etcd, configCenter: { replicas: 2 } })]).toEqual([
      'Recreate',
      'RollingUpdate',
    ])
  })

  it('monitors only when it is asked to', async () => {
    expect(names(await render(), 'ServiceMonitor')).toEqual([])
    expect(names(await render(everything), 'ServiceMonitor')).toHaveLength(3)
  })
})

describe('every pod', () => {
  it.each([
    ['by default', {}],
    ['with everything', everything],
  ])('passes Pod Security "restricted" %s, and may write to no root filesystem', async (_, values) => {
    const pods = podsOf(await render(values))
    expect(pods.map(({ name }) => name).toSorted()).toEqual([
      'Deployment tributary-config-center',
      'Deployment tributary-env-manager',
      'Deployment tributary-gateway',
      'Job tributary-bootstrap',
    ])
    for (const { name, pod } of pods) {
      expect([name, pod.securityContext]).toMatchObject([
        name,
        { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: 'RuntimeDefault' } },
      ])
      expect([name, pod.automountServiceAccountToken, pod.hostNetwork]).toEqual([name, false, undefined])
      for (const container of pod.containers) {
        expect([name, container.securityContext]).toEqual([
          name,
          { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        ])
        expect([name, Object.keys(container.resources).toSorted()]).toEqual([name, ['limits', 'requests']])
      }
    }
  })

  it('of a server has probes, and an account of its own', async () => {
    for (const { kind, spec, metadata } of await render()) {
      if (kind !== 'Deployment') continue
      const [container] = spec.template.spec.containers
      expect(Object.keys(container)).toEqual(
        expect.arrayContaining(['startupProbe', 'livenessProbe', 'readinessProbe']),
      )
      expect(spec.template.spec.serviceAccountName).toBe(metadata.name)
    }
  })

  it('starts a program that the image has', async () => {
    const commands = podsOf(await render()).flatMap(({ pod }) =>
      pod.containers.map(({ command }: { command: string[] }) => command),
    )
    for (const [program, file = ''] of commands) {
      const source = file.replace('/app/', '').replace('/dist/', '/src/').replace(/\.js$/, '.ts')
      expect([program, file, existsSync(join(repositoryRoot, source))]).toEqual(['node', file, true])
    }
    const dockerfile = readFileSync(join(repositoryRoot, 'Dockerfile'), 'utf8')
    for (const [, file] of commands) expect(dockerfile).toContain(`node ${file}`)
    expect(dockerfile).toContain('node tools/assemble-app.mjs /app')
    expect(dockerfile).toMatch(/\nUSER 10001:10001\n/)
  })

  it('gets a token for the API server only where it is used', async () => {
    const withToken = podsOf(await render()).filter(({ pod }) =>
      pod.volumes.some(({ name }: { name: string }) => name === 'api'),
    )
    expect(withToken.map(({ name }) => name)).not.toContain('Deployment tributary-gateway')
    expect(withToken).toHaveLength(3)
  })

  it('has no secret in its variables but the user name of etcd', async () => {
    const variables = podsOf(await render(everything)).flatMap(({ pod }) =>
      pod.containers.flatMap(
        ({ env = [] }: { env?: { name: string; valueFrom?: { secretKeyRef?: object } }[] }) => env,
      ),
    )
    const secret = variables.filter(
      ({ valueFrom }: { valueFrom?: { secretKeyRef?: object } }) => valueFrom?.secretKeyRef !== undefined,
    )
    expect([...new Set(secret.map(({ name }: { name: string }) => name))]).toEqual(['TRIBUTARY_ETCD_USERNAME'])
  })
})

describe('access', () => {
  it('has no wildcard, and reads Secrets by name only outside of environments', async () => {
    const objects = await render(everything)
    const roles = objects.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')
    expect(roles.length).toBe(5)
    for (const role of roles) {
      for (const rule of rulesOf(role)) {
        expect([...rule.apiGroups, ...rule.resources, ...rule.verbs].filter((each) => each.includes('*'))).toEqual([])
        if (!rule.resources.includes('secrets') || role.metadata.name.endsWith('-environment')) continue
        const isCreation = rule.verbs.join() === 'create'
        expect([role.metadata.name, isCreation || rule.resourceNames !== undefined]).toEqual([role.metadata.name, true])
      }
    }
    expect(rulesOf(get(objects, 'Role', 'tributary-env-manager')).at(-1)).toEqual({
      apiGroups: [''],
      resources: ['secrets'],
      resourceNames: ['registry', 'wildcard'],
      verbs: ['get'],
    })
  })

  it.each([undefined, 'gamma', 'istio', 'none'] as const)(
    'of the env-manager is what its table of permissions says, no more and no less, with the mesh %s',
    async (mesh) => {
      const objects = await render(mesh === undefined ? {} : { kubernetes: { mesh } })
      const granted = (scope: string, kind: string, name: string): string[] =>
        rulesOf(get(objects, kind, name)).flatMap(({ apiGroups, resources, verbs, resourceNames }) =>
          // Binding one role is what the table's RoleBindings need, and cannot be asked for apart from its name.
          resourceNames === undefined
            ? resources.flatMap((resource) => verbs.map((verb) => `${scope} ${verb} ${resource}.${apiGroups.join()}`))
            : [],
        )
      const table = [...ENV_MANAGER_PERMISSIONS, ...(mesh === undefined ? [] : MESH_PERMISSIONS[mesh])]
      const needed = table.flatMap(({ scope, group, resource, verbs }) =>
        verbs.map((verb) => `${scope} ${verb} ${resource}.${group}`),
      )
      const all = [
        ...granted('cluster', 'ClusterRole', 'tributary.tributary-env-manager'),
        ...granted('environment', 'ClusterRole', 'tributary.tributary-environment'),
        ...granted('system', 'Role', 'tributary-env-manager'),
      ]
      // A mesh needs some of what services' own charts need.
      expect(all.toSorted()).toEqual([...new Set(needed)].toSorted())
    },
  )

  it('is in the documentation as the chart grants it (npm run generate)', async () => {
    const page = readFileSync(join(repositoryRoot, 'docs/reference/permissions.md'), 'utf8')
    const [gamma, istio, none] = await Promise.all(
      (['gamma', 'istio', 'none'] as const).map((mesh) => render({ kubernetes: { mesh } })),
    )
    expect(page).toBe(renderPermissions(await render(), { gamma, istio, none }))
  })

  it('of the first token’s Job ends with it', async () => {
    const objects = (await render()).filter(({ metadata }) => metadata.name === 'tributary-bootstrap')
    expect(objects.map(({ kind }) => kind).toSorted()).toEqual(['Job', 'Role', 'RoleBinding', 'ServiceAccount'])
    for (const { metadata } of objects) {
      expect(metadata.annotations).toMatchObject({
        'helm.sh/hook': 'pre-install,pre-upgrade',
        'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded',
      })
    }
    const given = await render({ existingSecret: 'mine' })
    expect(names(given, 'Job')).toEqual([])
    const { volumes } = get(given, 'Deployment', 'tributary-config-center').spec.template.spec
    expect(volumes.find(({ name }: { name: string }) => name === 'bootstrap').secret.secretName).toBe('mine')
  })

  it('is narrowed to our label by a policy where the cluster has such policies', async () => {
    expect(names(await render(), 'ValidatingAdmissionPolicy')).toEqual([])
    const objects = await render({ instance: 'main' }, { kubeVersion: 'v1.31.0', apiVersions: [POLICY] })
    const { spec } = get(objects, 'ValidatingAdmissionPolicy', 'tributary.tributary-env-manager')
    expect(spec.matchConditions[0].expression).toBe(
      "request.userInfo.username == 'system:serviceaccount:tributary:tributary-env-manager'",
    )
    expect(spec.validations).toHaveLength(3)
    for (const { expression } of spec.validations) expect(expression).toContain("'main'")
    // With a binding in the platform's own namespace the account could read the first admin token.
    expect(spec.validations[2].expression).toContain("request.resource.group != 'rbac.authorization.k8s.io'")
    expect(get(objects, 'ValidatingAdmissionPolicyBinding', 'tributary.tributary-env-manager').spec).toEqual({
      policyName: 'tributary.tributary-env-manager',
      validationActions: ['Deny'],
    })
    expect(
      names(await render({ admissionPolicy: false }, { apiVersions: [POLICY] }), 'ValidatingAdmissionPolicy'),
    ).toEqual([])
  })

  it('gives the platform’s parts their roles at the config center, by their accounts', async () => {
    const { spec } = get(await render(), 'Deployment', 'tributary-config-center')
    const env = spec.template.spec.containers[0].env as { name: string; value: string }[]
    expect(env.find(({ name }) => name === 'TRIBUTARY_WORKLOAD_ROLES')?.value).toBe(
      'tributary/tributary-env-manager=deployer,tributary/tributary-gateway=viewer',
    )
  })

  it('tells the config center the prefix of environments’ namespaces', async () => {
    const objects = await render({ kubernetes: { namespacePrefix: 'team-a-' } })
    const { spec } = get(objects, 'Deployment', 'tributary-config-center')
    expect(spec.template.spec.containers[0].env).toContainEqual({
      name: 'TRIBUTARY_WORKLOAD_NAMESPACE_PREFIX',
      value: 'team-a-',
    })
  })

  it('over the network is for environments and the platform, and for the namespaces that are named', async () => {
    const objects = await render(everything)
    const from = (name: string): string => JSON.stringify(get(objects, 'NetworkPolicy', name).spec.ingress[0].from)
    expect(from('tributary-config-center')).toContain('tributary.dev/instance')
    expect(from('tributary-config-center')).not.toContain('ingress-nginx')
    expect(from('tributary-gateway')).toContain('ingress-nginx')
    expect(from('tributary-env-manager')).not.toContain('tributary.dev/instance')
    expect(get(await render(), 'NetworkPolicy', 'tributary-gateway').spec.ingress[0].from).toBeUndefined()
    const addresses = await render({ networkPolicies: { allowFromCidrs: ['10.0.0.0/24'] } })
    expect(get(addresses, 'NetworkPolicy', 'tributary-env-manager').spec.ingress[0].from).toContainEqual({
      ipBlock: { cidr: '10.0.0.0/24' },
    })
    expect(names(await render({ networkPolicies: { enabled: false } }), 'NetworkPolicy')).toEqual([])
  })

  it('keeps pods of environments, and the gateway that goes where they say, from the env-manager', async () => {
    const [{ ports, from }, reports] = get(await render(), 'NetworkPolicy', 'tributary-env-manager').spec.ingress
    const label = 'tributary.dev/instance'
    const own = { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['tributary'] }
    expect(from).toEqual([
      {
        podSelector: {
          matchExpressions: [{ key: 'app.kubernetes.io/component', operator: 'NotIn', values: ['gateway'] }],
        },
      },
      { namespaceSelector: { matchExpressions: [{ key: label, operator: 'DoesNotExist' }, own] } },
    ])
    expect(ports).toEqual([{ port: 7401, protocol: 'TCP' }])
    const gateways = expect.objectContaining({ 'app.kubernetes.io/component': 'gateway' })
    expect(reports).toEqual({
      ports: [{ port: 7402, protocol: 'TCP' }],
      from: [{ podSelector: { matchLabels: gateways } }],
    })
  })
})
