import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kubeTools, repositoryRoot } from '@tributary/testkit'
import { parseAllDocuments } from 'yaml'

/** A Kubernetes object as a test looks at it. */
export interface RenderedObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly labels: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  // oxlint-disable-next-line typescript/no-explicit-any -- a test asks for what it wants to see
  readonly spec: any
  readonly [field: string]: unknown
}

/** How a chart is rendered. */
export interface RenderOptions {
  readonly values?: Readonly<Record<string, unknown>>
  /** Default `v1.28.0`. */
  readonly kubeVersion?: string
  readonly apiVersions?: readonly string[]
  /** Default `orders` in `feature-x`. */
  readonly release?: { readonly name: string; readonly namespace: string }
}

/** Runs helm with `input` on stdin. Rejects with what it complains of. */
export async function helm(args: readonly string[], input = ''): Promise<string> {
  const { helm: program } = await kubeTools()
  return new Promise((resolve, reject) => {
    const environment = { HOME: tmpdir(), KUBECONFIG: '/dev/null' }
    const child = execFile(
      program,
      args,
      { env: environment, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else reject(new Error(`${stderr}${stdout}`))
      },
    )
    child.stdin?.end(input)
  })
}

/** The objects that a chart of this repository makes. */
export async function renderChart(chart: string, options: RenderOptions = {}): Promise<RenderedObject[]> {
  const { values = {}, kubeVersion = 'v1.28.0', apiVersions = [] } = options
  const { name, namespace } = options.release ?? { name: 'orders', namespace: 'feature-x' }
  const apis = apiVersions.map((version) => `--api-versions=${version}`)
  const folder = join(repositoryRoot, 'charts', chart)
  const args = [
    'template',
    `--namespace=${namespace}`,
    `--kube-version=${kubeVersion}`,
    ...apis,
    '-f',
    '-',
    '--',
    name,
    folder,
  ]
  const documents = parseAllDocuments(await helm(args, JSON.stringify(values)))
  return documents.map((document): RenderedObject => {
    if (document.errors.length > 0) throw document.errors[0] ?? new Error('unreadable')
    return document.toJS()
  })
}
