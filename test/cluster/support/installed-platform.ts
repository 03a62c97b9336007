import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import {
  createConfigCenterClient,
  createEnvManagerClient,
  type ConfigCenterClient,
  type EnvManagerClient,
} from '@tributary/client'
import { eventually, freePort, kubeTools, testKubeconfig } from '@tributary/testkit'
import { stringify } from 'yaml'
import { ROOT } from '../../support/platform.js'
import type { PlatformImage } from './platform-image.js'

const run = promisify(execFile)

/** Address of this machine as pods reach it; that of the test cluster's bridge by default. */
const HOST = process.env['TRIBUTARY_TEST_HOST'] ?? '10.200.0.1'
const RELEASE = 'tributary'
const MAX_OUTPUT = 16 * 1024 * 1024

/** The platform on the test cluster as users install it: by its chart, with helm, in a namespace of its own. */
export class InstalledPlatform {
  configCenter!: ConfigCenterClient
  envManager!: EnvManagerClient
  /** Address of the gateway's Service. */
  gatewayAddress = ''
  #gitServer: ChildProcess | undefined
  #gitPort = 0

  private constructor(
    readonly directory: string,
    readonly namespace: string,
    readonly instance: string,
  ) {}

  static async prepare(instance: string): Promise<InstalledPlatform> {
    const directory = await mkdtemp(path.join(tmpdir(), 'tributary-installed-'))
    return new InstalledPlatform(directory, `${instance}-system`, instance)
  }

  /** Serves the repositories of a folder to pods. Answers the URL of one. */
  async serveGit(folder: string): Promise<(name: string) => string> {
    this.#gitPort = await freePort()
    const args = [`--listen=${HOST}`, `--port=${this.#gitPort}`, '--export-all', '--reuseaddr', `--base-path=${folder}`]
    this.#gitServer = spawn('git', ['daemon', ...args, folder], { stdio: 'ignore' })
    await eventually(() => canConnect(this.#gitPort))
    return (name) => `git://${HOST}:${this.#gitPort}/${name}.git`
  }

  /** Volumes as an administrator would make them where a cluster does not make them by itself. */
  async makeVolumes(): Promise<string> {
    const storageClass = `${this.instance}-host`
    for (const part of ['config-center', 'env-manager']) {
      const folder = path.join(this.directory, 'volumes', part)
      await mkdir(folder, { recursive: true })
      await chmod(folder, 0o777)
      const volume = {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: `${this.instance}-${part}` },
        spec: {
          capacity: { storage: '10Gi' },
          accessModes: ['ReadWriteOnce'],
          storageClassName: storageClass,
          persistentVolumeReclaimPolicy: 'Retain',
          hostPath: { path: folder },
          claimRef: { namespace: this.namespace, name: `${RELEASE}-${part}` },
        },
      }
      await this.kubectl(['apply', '-f', '-'], JSON.stringify(volume))
    }
    // Pods that run as somebody else must get there.
    await chmod(this.directory, 0o755)
    return storageClass
  }

  /** Values for the image of the test cluster. */
  valuesFor({ repository, tag }: PlatformImage): Record<string, unknown> {
    return {
      instance: this.instance,
      image: { repository, tag, pullPolicy: 'Never' },
      runAsUser: 1000,
      runAsGroup: 1000,
    }
  }

  /**
   * `helm upgrade --install`, by default until all pods are ready; where pods stand by, which are not, their readiness is the caller's to wait for. Answers what
   * helm printed.
   */
  async apply(values: Readonly<Record<string, unknown>>, { wait = true } = {}): Promise<string> {
    const file = path.join(this.directory, 'values.yaml')
    await writeFile(file, stringify(values))
    const chart = path.join(ROOT, 'charts/tributary')
    const where = ['--namespace', this.namespace, '--create-namespace']
    const printed = await this.helm([
      'upgrade',
      '--install',
      ...where,
      '--values',
      file,
      ...(wait ? ['--wait'] : []),
      '--timeout=120s',
      RELEASE,
      chart,
    ])
    const token = await this.adminToken()
    this.configCenter = createConfigCenterClient({ baseUrl: await this.#urlOf('config-center', 7400), token })
    this.envManager = createEnvManagerClient({ baseUrl: await this.#urlOf('env-manager', 7401), token })
    this.gatewayAddress = new URL(await this.#urlOf('gateway', 80)).hostname
    return printed
  }

  async uninstall(): Promise<void> {
    await this.helm(['uninstall', '--namespace', this.namespace, '--wait', '--timeout=120s', RELEASE])
  }

  async adminToken(): Promise<string> {
    const secret = ['get', 'secret', '-n', this.namespace, `${RELEASE}-bootstrap`]
    return Buffer.from(await this.kubectl([...secret, '-o', 'jsonpath={.data.admin-token}']), 'base64').toString('utf8')
  }

  async kubectl(args: readonly string[], input = ''): Promise<string> {
    return this.#call((await kubeTools()).kubectl, args, input)
  }

  async helm(args: readonly string[]): Promise<string> {
    return this.#call((await kubeTools()).helm, args, '')
  }

  /** What the platform's own pods have printed, for a test that failed. */
  async logs(): Promise<string> {
    const args = ['logs', '-n', this.namespace, '-l', 'app.kubernetes.io/name=tributary', '--tail=40', '--prefix']
    return this.kubectl(args).catch(String)
  }

  /** Removes everything of this platform from the cluster and from this machine. */
  async remove(): Promise<void> {
    await this.uninstall().catch(() => undefined)
    // Side by side: a cluster takes many seconds for each.
    const whole = ['--ignore-not-found', '--wait', '--timeout=120s']
    await Promise.all([
      this.kubectl(['delete', 'namespace', '-l', `tributary.dev/instance=${this.instance}`, ...whole]),
      this.kubectl(['delete', 'namespace', this.namespace, ...whole]),
    ])
    const volumes = ['config-center', 'env-manager'].map((part) => `${this.instance}-${part}`)
    await this.kubectl(['delete', 'persistentvolume', ...volumes, '--ignore-not-found', '--wait', '--timeout=60s'])
    if (this.#gitServer !== undefined) {
      const ended = once(this.#gitServer, 'exit')
      this.#gitServer.kill()
      await ended
    }
    await rm(this.directory, { recursive: true, force: true })
  }

  async #urlOf(part: string, port: number): Promise<string> {
    const service = ['get', 'service', '-n', this.namespace, `${RELEASE}-${part}`]
    return `http://${await this.kubectl([...service, '-o', 'jsonpath={.spec.clusterIP}'])}:${port}`
  }

  async #call(program: string, args: readonly string[], input: string): Promise<string> {
    const env = { KUBECONFIG: testKubeconfig(), HOME: this.directory }
    const child = run(program, args, { env, maxBuffer: MAX_OUTPUT })
    child.child.stdin?.end(input)
    return (await child).stdout.trim()
  }
}

function canConnect(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, HOST, () => {
      socket.destroy()
      resolve()
    })
    socket.once('error', reject)
  })
}
