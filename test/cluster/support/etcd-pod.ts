import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { copyLibraries, imageTool } from './platform-image.js'

const run = promisify(execFile)

/** Of Debian's package etcd-server. */
const ETCD = '/usr/bin/etcd'
const IMAGE = 'tributary-install/etcd:test'
const PORT = 2379

type Kubectl = (args: readonly string[], input?: string) => Promise<string>

/** Runs an etcd of one member in a namespace of the test cluster. Answers its URL as pods know it, once it serves. */
export async function startEtcd(kubectl: Kubectl, namespace: string): Promise<string> {
  const image = process.env['TRIBUTARY_TEST_ETCD_IMAGE'] ?? (await makeImage())
  const url = `http://etcd.${namespace}.svc.cluster.local:${PORT}`
  const items = [podOf(image, { namespace, url }), serviceOf(namespace)]
  await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  await kubectl(['wait', '--for=condition=Ready', 'pod/etcd', '-n', namespace, '--timeout=60s'])
  return url
}

/** The binary and the libraries that it names, and nothing else. */
async function makeImage(): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), 'tributary-etcd-'))
  try {
    await mkdir(path.join(root, path.dirname(ETCD)), { recursive: true })
    await copyFile(ETCD, path.join(root, ETCD))
    await copyLibraries(ETCD, root)
    await run('chmod', ['-R', 'a+rX', root])
    await run(imageTool(), ['image', IMAGE, root, ETCD], { maxBuffer: 16 * 1024 * 1024 })
    return IMAGE
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

function podOf(image: string, { namespace, url }: { readonly namespace: string; readonly url: string }): object {
  const listening = [`--listen-client-urls=http://0.0.0.0:${PORT}`, `--advertise-client-urls=${url}`]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'etcd', namespace, labels: { app: 'etcd' } },
    spec: {
      terminationGracePeriodSeconds: 2,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 },
      containers: [
        {
          name: 'etcd',
          image,
          imagePullPolicy: 'Never',
          command: [ETCD, '--data-dir=/data', ...listening],
          readinessProbe: { httpGet: { path: '/health', port: PORT }, periodSeconds: 1 },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      volumes: [{ name: 'data', emptyDir: {} }],
    },
  }
}

function serviceOf(namespace: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'etcd', namespace },
    spec: { selector: { app: 'etcd' }, ports: [{ name: 'client', port: PORT, targetPort: PORT, protocol: 'TCP' }] },
  }
}
