import { join } from 'node:path'
import { repositoryRoot } from '@tributary/testkit'
import { describe, expect, it } from 'vitest'
import { helm, renderChart, type RenderedObject, type RenderOptions } from '../support/rendered-chart.js'

const image = { repository: 'registry.example/orders', tag: 'v1' }
/** Every switch on. */
const everything = {
  image,
  replicaCount: 3,
  command: ['node'],
  args: ['server.js'],
  ports: [
    { name: 'rpc', port: 9000, protocol: 'grpc' },
    { name: 'web', port: 8443, protocol: 'https' },
    { name: 'metrics', port: 9100, protocol: 'http' },
  ],
  health: { readiness: '/readyz', liveness: '/healthz', startupSeconds: 60 },
  env: { GREETING: 'hello: "you"', EMPTY: '' },
  envFromSecrets: ['orders-env'],
  envFromConfigMaps: ['shared'],
  mounts: [
    { configMap: 'settings', path: '/etc/settings' },
    { secret: 'keys', path: '/etc/keys' },
  ],
  writablePaths: ['/var/cache/orders'],
  labels: { 'tributary.dev/environment': 'feature-x', 'app.kubernetes.io/name': 'stolen' },
  podLabels: { 'tributary.dev/service': 'orders', 'app.kubernetes.io/component': 'stolen' },
  podAnnotations: { 'tributary.dev/workload-id': 'feature-x.1.orders' },
  identity: { enabled: true },
  ingress: { enabled: true, className: 'nginx', host: 'orders.example', tlsSecretName: 'orders-tls' },
  httpRoute: { enabled: true, parentRefs: [{ name: 'edge', namespace: 'system' }], hostnames: ['orders.example'] },
  verify: { enabled: true, command: ['node', 'verify.js'] },
  imagePullSecrets: [{ name: 'registry' }],
  nodeSelector: { disk: 'ssd' },
  tolerations: [{ key: 'preview', operator: 'Exists' }],
}

const render = (values: object = {}, options: RenderOptions = {}): Promise<RenderedObject[]> =>
  renderChart('service', { ...options, values: { image, ...values } })

async function find(
  kind: string,
  values: object = {},
  options: RenderOptions = {},
): Promise<RenderedObject | undefined> {
  return (await render(values, options)).find((object) => object.kind === kind)
}

async function get(kind: string, values: object = {}, options: RenderOptions = {}): Promise<RenderedObject> {
  const object = await find(kind, values, options)
  if (object === undefined) throw new Error(`the chart makes no ${kind}`)
  return object
}

describe('charts/service', () => {
  it('is found good by helm lint', async () => {
    const folder = join(repositoryRoot, 'charts/service')
    expect(await helm(['lint', '--strict', '-f', '-', '--', folder], JSON.stringify(everything))).toContain(
      '0 chart(s) failed',
    )
  })

  it('makes a Deployment, a Service and a ServiceAccount by itself', async () => {
    const objects = await render()
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.namespace}`).sort()).toEqual([
      'Deployment orders feature-x',
      'Service orders feature-x',
      'ServiceAccount orders feature-x',
    ])
  })

  it.each([['v1.20.2'], ['v1.28.3-eks-123'], ['v1.35.0']])(
    'meets the restricted profile of Pod Security on %s',
    async (kubeVersion) => {
      for (const { kind, spec } of await render(everything, { kubeVersion })) {
        if (kind !== 'Deployment' && kind !== 'Job') continue
        expect(restrictedProblems(spec.template.spec)).toEqual([])
      }
    },
  )

  it('never has less than all replicas ready while it changes', async () => {
    const { spec } = await get('Deployment')
    expect(spec.strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } })
  })

  it('looks at the paths of the definition, on the first port that speaks HTTP', async () => {
    const [container] = (await get('Deployment', everything)).spec.template.spec.containers
    expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'web', scheme: 'HTTPS' })
    expect(container.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'web', scheme: 'HTTPS' })
    expect(container.startupProbe).toMatchObject({
      httpGet: { path: '/healthz' },
      periodSeconds: 1,
      failureThreshold: 60,
    })
  })

  it('takes an open port for readiness when there is no path, and never ends a pod for a path that there is not', async () => {
    const [container] = (await get('Deployment')).spec.template.spec.containers
    expect(container.readinessProbe.tcpSocket).toEqual({ port: 'http' })
    expect(container).not.toHaveProperty('livenessProbe')
    expect(container).not.toHaveProperty('startupProbe')
  })

  it('takes an open port for readiness when nothing speaks HTTP', async () => {
    const ports = [{ name: 'rpc', port: 9000, protocol: 'grpc' }]
    const [container] = (await get('Deployment', { ports, health: { readiness: '/readyz' } })).spec.template.spec
      .containers
    expect(container.readinessProbe.tcpSocket).toEqual({ port: 'rpc' })
  })

  it.each([
    ['v1.20.2', { exec: { command: ['sleep', '5'] } }],
    ['v1.29.9', { exec: { command: ['sleep', '5'] } }],
    ['v1.30.0', { sleep: { seconds: 5 } }],
  ])('goes on serving for a moment when it ends, on %s', async (kubeVersion, preStop) => {
    const pod = (await get('Deployment', {}, { kubeVersion })).spec.template.spec
    expect(pod.containers[0].lifecycle).toEqual({ preStop })
    expect(pod.terminationGracePeriodSeconds).toBe(30)
  })

  it.each([
    [{ terminationGracePeriodSeconds: 3 }, '2'],
    [{ terminationGracePeriodSeconds: 1 }, undefined],
    [{ terminationGracePeriodSeconds: 0 }, undefined],
    [{ drainSeconds: 0 }, undefined],
  ])('leaves the program a second of its grace to end in (%j)', async (values, seconds) => {
    const [container] = (await get('Deployment', values, { kubeVersion: 'v1.20.2' })).spec.template.spec.containers
    expect(container.lifecycle?.preStop.exec.command[1]).toBe(seconds)
  })

  it('keeps its selector whatever labels are given', async () => {
    const selector = { 'app.kubernetes.io/name': 'orders', 'app.kubernetes.io/component': 'service' }
    const deployment = await get('Deployment', everything)
    expect(deployment.spec.selector.matchLabels).toEqual(selector)
    expect(deployment.spec.template.metadata.labels).toEqual({
      ...selector,
      'tributary.dev/environment': 'feature-x',
      'tributary.dev/service': 'orders',
    })
    expect((await get('Service', everything)).spec.selector).toEqual(selector)
    expect((await get('PodDisruptionBudget', everything)).spec.selector.matchLabels).toEqual(selector)
  })

  it('puts the given labels on every object, and the annotations on pods', async () => {
    for (const object of await render(everything))
      expect(object.metadata.labels).toMatchObject({ 'tributary.dev/environment': 'feature-x' })
    const { annotations } = (await get('Deployment', everything)).spec.template.metadata
    expect(annotations).toEqual(everything.podAnnotations)
  })

  it('leaves the Service to whoever owns the name', async () => {
    expect(await find('Service', { service: { create: false } })).toBeUndefined()
  })

  it('writes the protocol of every port, without which an old API server fails', async () => {
    const ports = (await get('Service', everything)).spec.ports
    expect(ports).toEqual([
      { name: 'rpc', port: 9000, targetPort: 'rpc', protocol: 'TCP' },
      { name: 'web', port: 8443, targetPort: 'web', protocol: 'TCP' },
      { name: 'metrics', port: 9100, targetPort: 'metrics', protocol: 'TCP' },
    ])
  })

  it('takes variables from Secrets and ConfigMaps that are there, and text as it is', async () => {
    const [container] = (await get('Deployment', everything)).spec.template.spec.containers
    expect(container.envFrom).toEqual([{ configMapRef: { name: 'shared' } }, { secretRef: { name: 'orders-env' } }])
    expect(container.env).toEqual([
      { name: 'TRIBUTARY_INSTANCE', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'TRIBUTARY_TOKEN_FILE', value: '/var/run/secrets/tributary/token' },
      { name: 'EMPTY', value: '' },
      { name: 'GREETING', value: 'hello: "you"' },
    ])
  })

  it('mounts files, folders to write to and the token', async () => {
    const pod = (await get('Deployment', everything)).spec.template.spec
    expect(pod.containers[0].volumeMounts).toEqual([
      { name: 'scratch', mountPath: '/tmp', subPath: 'tmp' },
      { name: 'scratch', mountPath: '/var/cache/orders', subPath: 'writable-0' },
      { name: 'mount-0', mountPath: '/etc/settings', readOnly: true },
      { name: 'mount-1', mountPath: '/etc/keys', readOnly: true },
      { name: 'identity', mountPath: '/var/run/secrets/tributary', readOnly: true },
    ])
    expect(pod.volumes.at(-1).projected.sources).toEqual([
      { serviceAccountToken: { audience: 'tributary', expirationSeconds: 3600, path: 'token' } },
    ])
  })

  it('gives no pod a token of the API server', async () => {
    for (const object of await render(everything)) {
      if (object.kind === 'ServiceAccount') expect(object['automountServiceAccountToken']).toBe(false)
      if (object.spec?.template !== undefined)
        expect(object.spec.template.spec.automountServiceAccountToken).toBe(false)
    }
    expect((await get('Deployment')).spec.template.spec.volumes).toHaveLength(1)
  })

  it('uses another account when it is told to', async () => {
    const values = { serviceAccount: { create: false, name: 'shared' } }
    expect(await find('ServiceAccount', values)).toBeUndefined()
    expect((await get('Deployment', values)).spec.template.spec.serviceAccountName).toBe('shared')
  })

  it.each([
    ['v1.20.2', 'policy/v1beta1'],
    ['v1.21.0', 'policy/v1'],
    ['v1.28.3-gke.100', 'policy/v1'],
  ])('keeps replicas from being evicted together, on %s', async (kubeVersion, apiVersion) => {
    expect(await get('PodDisruptionBudget', { replicaCount: 2 }, { kubeVersion })).toMatchObject({
      apiVersion,
      spec: { maxUnavailable: 1 },
    })
  })

  it('does not keep a node from being drained for a single replica', async () => {
    expect(await find('PodDisruptionBudget')).toBeUndefined()
    expect(
      await find('PodDisruptionBudget', { replicaCount: 2, podDisruptionBudget: { enabled: false } }),
    ).toBeUndefined()
  })

  it('makes an Ingress when it is told to', async () => {
    expect((await get('Ingress', everything)).spec).toEqual({
      ingressClassName: 'nginx',
      tls: [{ secretName: 'orders-tls', hosts: ['orders.example'] }],
      rules: [
        {
          host: 'orders.example',
          http: {
            paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'orders', port: { name: 'web' } } } }],
          },
        },
      ],
    })
  })

  it.each([
    [['gateway.networking.k8s.io/v1'], 'gateway.networking.k8s.io/v1'],
    [['gateway.networking.k8s.io/v1beta1'], 'gateway.networking.k8s.io/v1beta1'],
  ])('makes a route of the version that the cluster has (%j)', async (apiVersions, apiVersion) => {
    expect(await get('HTTPRoute', everything, { apiVersions })).toMatchObject({
      apiVersion,
      spec: {
        parentRefs: [{ name: 'edge', namespace: 'system' }],
        hostnames: ['orders.example'],
        rules: [{ backendRefs: [{ name: 'orders', port: 8443 }] }],
      },
    })
  })

  it('verifies by a Job to which no Service leads', async () => {
    const { metadata, spec } = await get('Job', everything)
    expect(metadata).toMatchObject({
      name: 'orders-verify',
      annotations: { 'helm.sh/hook': 'post-install,post-upgrade' },
    })
    expect(spec).toMatchObject({ activeDeadlineSeconds: 120 })
    expect(spec.template.metadata.labels).toEqual({
      'app.kubernetes.io/name': 'orders',
      'app.kubernetes.io/component': 'verify',
    })
    expect(spec.template.spec.containers[0]).toMatchObject({
      image: 'registry.example/orders:v1',
      command: ['node', 'verify.js'],
    })
  })

  it.each([
    [{ repository: 'a/b' }, 'a/b'],
    [{ repository: 'a:5000/b', tag: 'v1' }, 'a:5000/b:v1'],
    [{ repository: 'a/b', tag: 'v1', digest: `sha256:${'0'.repeat(64)}` }, `a/b@sha256:${'0'.repeat(64)}`],
  ])('names the image of %j', async (parts, name) => {
    expect((await get('Deployment', { image: parts })).spec.template.spec.containers[0].image).toBe(name)
  })

  it.each([
    ['no image', { image: {} }, /image/],
    ['an unknown value', { replicas: 2 }, /replicas/],
    ['an unknown value further in', { image: { ...image, tagg: 'x' } }, /tagg/],
    ['a wrong type', { replicaCount: '2' }, /replicaCount/],
    ['root', { runAsUser: 0 }, /runAsUser/],
    ['no ports', { ports: [] }, /ports/],
    ['a port name that is too long', { ports: [{ name: 'a'.repeat(16), port: 1, protocol: 'http' }] }, /name/],
    ['a mount of nothing', { mounts: [{ path: '/etc/x' }] }, /mounts/],
    ['a mount of two things', { mounts: [{ path: '/etc/x', secret: 'a', configMap: 'b' }] }, /mounts/],
    ['an image that is a template', { image: { repository: '{{ .Release.Name }}' } }, /repository/],
    ['an ingress without a host', { ingress: { enabled: true } }, /ingress\.host is needed/],
    ['a route without a Gateway', { httpRoute: { enabled: true } }, /httpRoute\.parentRefs names the Gateway/],
    ['a verify Job without a command', { verify: { enabled: true } }, /verify\.command is needed/],
    [
      'an ingress to what does not speak HTTP',
      { ingress: { enabled: true, host: 'a.b' }, ports: [{ name: 'db', port: 1, protocol: 'tcp' }] },
      /an ingress needs a port whose protocol is http or https/,
    ],
  ])('refuses %s and says so', async (_what, values, message) => {
    await expect(render(values)).rejects.toThrow(message)
  })

  // The platform applies this chart without looking at what comes out of it: nothing that a service.yaml can say may become YAML or a template.
  it.each([
    '{{ .Release.Name }}\n  evil: "true"\n',
    '---\napiVersion: v1\nkind: Secret\nmetadata: { name: evil }\n',
    '"\n---\nkind: Secret\n',
    "'; x: y # ",
    '- x\n- y',
    '{"a": 1}',
    '&a *a !!binary <<: *a',
    '|\n  text\n',
    'null',
    '0x1F',
    '\\" \\n $(x) `x`',
    '☃\u{1F600}\u00A0',
    '{{ "{{" }} {{ tpl .Values.x . }}',
  ])('takes no value for a template, and none out of its place: %j', async (nasty) => {
    const path = `/a${nasty.replaceAll(/\s/g, '_')}`
    const objects = await render({
      service: { create: false },
      env: { NASTY: nasty },
      command: [nasty],
      args: [nasty, '- x'],
      podAnnotations: { note: nasty },
      health: { readiness: path, liveness: path },
      writablePaths: [path.replaceAll(':', '_')],
    })
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort()).toEqual([
      'Deployment orders',
      'ServiceAccount orders',
    ])
    const pod = objects.find(({ kind }) => kind === 'Deployment')?.spec.template
    const [container] = pod.spec.containers
    expect(container.env.at(-1)).toEqual({ name: 'NASTY', value: nasty })
    expect(container).toMatchObject({ command: [nasty], args: [nasty, '- x'] })
    expect(container.readinessProbe.httpGet.path).toBe(path)
    expect(container.livenessProbe.httpGet.path).toBe(path)
    expect(container.volumeMounts.at(-1).mountPath).toBe(path.replaceAll(':', '_'))
    expect(pod.metadata.annotations).toEqual({ note: nasty })
  })

  it.each([
    ['an image', { image: { ...image, repository: 'a\nb' } }],
    ['a tag', { image: { ...image, tag: 'a\n' } }],
    ['a port', { ports: [{ name: 'a\n', port: 1, protocol: 'http' }] }],
    ['a Secret', { envFromSecrets: ['a\n- b'] }],
    ['a pull secret', { imagePullSecrets: [{ name: 'a\nb' }] }],
    ['a quantity', { resources: { limits: { memory: '1\nx: y' } } }],
    ['a label', { labels: { a: 'b\nc: d' } }],
    ['a user', { runAsUser: '1\nprivileged: true' }],
    ['a number of replicas', { replicaCount: '1\nx: y' }],
    ['a folder', { writablePaths: ['/a\nb'] }],
  ])('refuses %s of two lines', async (_what, values) => {
    await expect(render(values)).rejects.toThrow(/don't meet the specifications/)
  })
})

/** What the restricted profile of Pod Security (v1.35) has against a pod; its rules for what this chart can make. */
// oxlint-disable-next-line typescript/no-explicit-any -- a pod as it is written
function restrictedProblems(pod: any): string[] {
  const problems: string[] = []
  const check = (holds: boolean, rule: string): void => void (holds || problems.push(rule))
  const allowed = new Set([
    'configMap',
    'csi',
    'downwardAPI',
    'emptyDir',
    'ephemeral',
    'persistentVolumeClaim',
    'projected',
    'secret',
  ])
  for (const { name, ...source } of pod.volumes)
    check(
      Object.keys(source).every((type) => allowed.has(type)),
      `volume ${name}`,
    )
  check(pod.securityContext.runAsNonRoot === true, 'runAsNonRoot')
  check(pod.securityContext.runAsUser !== 0, 'runAsUser')
  check(pod.securityContext.seccompProfile.type === 'RuntimeDefault', 'seccompProfile')
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) check(pod[field] !== true, field)
  for (const { securityContext: own, ports = [] } of [...pod.containers, ...(pod.initContainers ?? [])]) {
    check(own.allowPrivilegeEscalation === false, 'allowPrivilegeEscalation')
    check(own.privileged !== true, 'privileged')
    check(own.readOnlyRootFilesystem === true, 'readOnlyRootFilesystem (ours)')
    check(own.capabilities.drop.includes('ALL') && own.capabilities.add === undefined, 'capabilities')
    check(
      ports.every((port: { hostPort?: number }) => port.hostPort === undefined),
      'hostPort',
    )
  }
  return problems
}
