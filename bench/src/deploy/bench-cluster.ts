import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { kubeTools, testKubeconfig } from '@tributary/testkit'

/** What pods of a namespace there are, and the memory that they work with. */
export interface NamespaceUsage {
  readonly pods: number
  readonly memoryBytes: number
}

/** The part of a kubelet's summary that is read. */
interface Summary {
  readonly pods?: readonly {
    readonly podRef: { readonly name: string; readonly namespace: string }
    readonly memory?: { readonly workingSetBytes?: number }
  }[]
}

/** The cluster that benches may use, and the programs that talk to it. */
export class BenchCluster {
  private constructor(
    readonly kubeconfig: string,
    private readonly helmProgram: string,
    private readonly kubectlProgram: string,
  ) {}

  /** Throws with what to do when there is none. */
  static async open(): Promise<BenchCluster> {
    const kubeconfig = testKubeconfig()
    const { helm, kubectl } = await kubeTools()
    return new BenchCluster(kubeconfig, helm, kubectl)
  }

  /** Folder of the helm program, for a PATH. */
  get helmFolder(): string {
    return dirname(this.helmProgram)
  }

  helm(args: readonly string[], input = ''): Promise<string> {
    return this.run(this.helmProgram, args, input)
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return this.run(this.kubectlProgram, args)
  }

  /** Waits until the namespace with all that is in it is gone. */
  async remove(namespace: string): Promise<void> {
    await this.kubectl('delete', 'namespace', namespace, '--ignore-not-found', '--timeout=180s')
  }

  /** Pods that run, and their memory as the kubelets see it; undefined while a kubelet has not measured one of them yet. */
  async usageOf(namespace: string): Promise<NamespaceUsage | undefined> {
    const [names, nodes] = await Promise.all([
      this.kubectl('-n', namespace, 'get', 'pods', '--field-selector=status.phase=Running', '--output=name'),
      this.kubectl('get', 'nodes', '--output=name'),
    ])
    const summaries = await Promise.all(lines(nodes).map((node) => this.summaryOf(node.replace('node/', ''))))
    const memory = new Map<string, number | undefined>(
      summaries
        .flatMap(({ pods = [] }) => pods)
        .filter(({ podRef }) => podRef.namespace === namespace)
        .map(({ podRef, memory: used }) => [`pod/${podRef.name}`, used?.workingSetBytes]),
    )
    const used = lines(names).map((name) => memory.get(name))
    const known = used.flatMap((bytes) => (bytes === undefined || bytes === 0 ? [] : [bytes]))
    if (known.length < used.length) return undefined
    return { pods: used.length, memoryBytes: known.reduce((sum, bytes) => sum + bytes, 0) }
  }

  private async summaryOf(node: string): Promise<Summary> {
    return JSON.parse(await this.kubectl('get', '--raw', `/api/v1/nodes/${node}/proxy/stats/summary`)) as Summary
  }

  private run(program: string, args: readonly string[], input = ''): Promise<string> {
    const environment = { HOME: tmpdir(), KUBECONFIG: this.kubeconfig, PATH: process.env['PATH'] ?? '' }
    return new Promise((resolve, reject) => {
      const child = execFile(program, args, { env: environment, maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else reject(new Error(`${program} ${args.join(' ')}: ${stderr}`))
      })
      child.stdin?.end(input)
    })
  }
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}
