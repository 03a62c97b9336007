import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createKubernetesWorkloadIdentity, startConfigCenter, type ConfigCenter } from '@tributary/config-center'
import { connect } from '@tributary/sdk'
import { openEmbeddedStore, type RevisionedStore } from '@tributary/store'
import { describeWithCluster, eventually, kubeTools, testKubeconfig } from '@tributary/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse } from 'yaml'

const run = promisify(execFile)
const INSTANCE = 'install-identity'
const SYSTEM = 'install-identity-system'
const TENANT = 'install-identity-x'
const FOREIGN = 'install-identity-foreign'

/** What the config center's account may do in a cluster, and no more. */
const RIGHTS = `
apiVersion: v1
kind: ServiceAccount
metadata: { name: config-center, namespace: ${SYSTEM} }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: ${SYSTEM} }
rules:
  - { apiGroups: [authentication.k8s.io], resources: [tokenreviews], verbs: [create] }
  - { apiGroups: [''], resources: [namespaces], verbs: [list, watch] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: ${SYSTEM} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${SYSTEM} }
subjects: [{ kind: ServiceAccount, name: config-center, namespace: ${SYSTEM} }]
`

describeWithCluster('workload identity on a real API server', () => {
  let folder: string
  let store: RevisionedStore
  let center: ConfigCenter

  async function kubectl(args: readonly string[], input = ''): Promise<string> {
    const { kubectl: program } = await kubeTools()
    const child = run(program, args, { env: { KUBECONFIG: testKubeconfig(), HOME: folder } })
    child.child.stdin?.end(input)
    return (await child).stdout.trim()
  }

  const environmentLabels = (name: string, instance = INSTANCE): string[] => [
    'app.kubernetes.io/managed-by=tributary',
    `tributary.dev/instance=${instance}`,
    `tributary.dev/environment=${name}`,
  ]

  /** A pod that never needs to run, and a token that is bound to it. */
  async function podToken(namespace: string, audience = 'tributary'): Promise<string> {
    const spec = {
      containers: [{ name: 'c', image: 'none', imagePullPolicy: 'Never' }],
      nodeSelector: { none: 'none' },
    }
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace }, spec }
    await kubectl(['apply', '-f', '-'], JSON.stringify(pod))
    const bound = ['--bound-object-kind', 'Pod', '--bound-object-name', 'p']
    return kubectl(['create', 'token', 'default', '-n', namespace, '--audience', audience, ...bound])
  }

  async function apiAddress(): Promise<{ url: string; caFile: string }> {
    const config = parse(await readFile(testKubeconfig(), 'utf8')) as {
      clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }]
    }
    const { server, 'certificate-authority-data': ca } = config.clusters[0].cluster
    const caFile = join(folder, 'ca.crt')
    await writeFile(caFile, Buffer.from(ca, 'base64'))
    return { url: server, caFile }
  }

  async function view(token: string, tenant = TENANT): Promise<number> {
    const response = await fetch(`${center.url}/v1/tenants/${tenant}/view`, {
      headers: { authorization: `Bearer ${token}` },
    })
    await response.body?.cancel()
    return response.status
  }

  async function createNamespace(name: string, labels: readonly string[]): Promise<void> {
    await kubectl(['create', 'namespace', name])
    if (labels.length > 0) await kubectl(['label', 'namespace', name, ...labels])
    await eventually(() => kubectl(['get', 'serviceaccount', 'default', '-n', name]), { intervalMs: 200 })
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tributary-identity-'))
    await createNamespace(SYSTEM, [])
    await kubectl(['apply', '-f', '-'], RIGHTS)
    const tokenFile = join(folder, 'token')
    await writeFile(tokenFile, await kubectl(['create', 'token', 'config-center', '-n', SYSTEM]))
    store = await openEmbeddedStore({ path: join(folder, 'store.db') })
    const api = { ...(await apiAddress()), tokenFile }
    const workloadIdentity = createKubernetesWorkloadIdentity({ api, instance: INSTANCE, audience: 'tributary' })
    center = await startConfigCenter({ store, workloadIdentity, adminTokenFile: join(folder, 'admin.token') })
    for (const tenant of [TENANT, FOREIGN]) {
      const headers = { authorization: `Bearer ${center.adminToken}`, 'content-type': 'application/json' }
      await fetch(`${center.url}/v1/tenants/${tenant}`, { method: 'PUT', headers, body: '{"base":null}' })
    }
    await createNamespace(TENANT, environmentLabels(TENANT))
    await createNamespace(FOREIGN, environmentLabels(FOREIGN, 'another'))
  })

  afterAll(async () => {
    await center?.close()
    await store?.close()
    await kubectl(['delete', 'namespace', SYSTEM, TENANT, FOREIGN, '--ignore-not-found', '--wait=false'])
    await kubectl(['delete', 'clusterrole,clusterrolebinding', SYSTEM, '--ignore-not-found'])
    await rm(folder, { recursive: true, force: true })
  })

  it('lets a pod of an environment read its tenant, and nobody else’s', async () => {
    const token = await podToken(TENANT)
    expect(await view(token)).toBe(200)
    expect(await view(token, FOREIGN)).toBe(403)
  })

  it('refuses tokens of another audience, of another instance’s namespace, and of no pod', async () => {
    expect(await view(await podToken(TENANT, 'https://elsewhere.example'))).toBe(401)
    expect(await view(await podToken(FOREIGN), FOREIGN)).toBe(401)
    expect(await view(await kubectl(['create', 'token', 'default', '-n', TENANT, '--audience', 'tributary']))).toBe(401)
  })

  it('refuses the token of a pod that is gone', async () => {
    const token = await podToken(TENANT)
    await kubectl(['delete', 'pod', 'p', '-n', TENANT, '--force', '--grace-period=0'])
    expect(await view(token)).toBe(401)
  })

  it('ends the stream of a pod whose namespace loses its label, and takes it back with the label', async () => {
    const tokenFile = join(folder, 'pod.token')
    await writeFile(tokenFile, await podToken(TENANT))
    const timing = { initialBackoffMs: 50, maxBackoffMs: 200, maxRefusedBackoffMs: 200 }
    const client = await connect({ url: center.url, tenant: TENANT, env: { TRIBUTARY_TOKEN_FILE: tokenFile }, timing })
    try {
      expect(client.status.state).toBe('READY')
      await kubectl(['label', 'namespace', TENANT, 'tributary.dev/instance-'])
      await eventually(() => expect(client.status.state).toBe('ERROR'))
      await kubectl(['label', 'namespace', TENANT, `tributary.dev/instance=${INSTANCE}`])
      await eventually(() => expect(client.status.state).toBe('READY'), { timeoutMs: 20_000 })
    } finally {
      await client.close()
    }
  })
})
