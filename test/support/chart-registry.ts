import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'

/** Packed charts by repository and version. */
export type PackedCharts = Readonly<Record<string, Readonly<Record<string, Buffer>>>>

/** An OCI registry on loopback that serves charts to helm: the parts of the distribution API that a pull takes. */
export class ChartRegistry implements AsyncDisposable {
  private readonly blobs = new Map<string, Buffer>()
  private readonly manifests = new Map<string, Buffer>()

  private constructor(private readonly server: Server) {}

  static async start(charts: PackedCharts): Promise<ChartRegistry> {
    const server = createServer()
    const registry = new ChartRegistry(server)
    for (const [repository, versions] of Object.entries(charts)) {
      for (const [version, packed] of Object.entries(versions)) registry.add(`${repository}:${version}`, packed)
    }
    server.on('request', (request, response) =>
      registry.answer(request.url ?? '/', request.method === 'HEAD', response),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return registry
  }

  /** `host:port`. */
  get host(): string {
    const address = this.server.address()
    if (address === null || typeof address === 'string') throw new Error('the registry does not listen')
    return `localhost:${address.port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close()
    this.server.closeAllConnections()
    await once(this.server, 'close')
  }

  private add(reference: string, packed: Buffer): void {
    const [repository = '', version = ''] = reference.split(':')
    const config = Buffer.from(JSON.stringify({ name: repository.split('/').at(-1), version, apiVersion: 'v2' }))
    const descriptor = (mediaType: string, content: Buffer): object => {
      const digest = digestOf(content)
      this.blobs.set(digest, content)
      return { mediaType, digest, size: content.length }
    }
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: descriptor('application/vnd.cncf.helm.config.v1+json', config),
        layers: [descriptor('application/vnd.cncf.helm.chart.content.v1.tar+gzip', packed)],
      }),
    )
    this.manifests.set(reference, manifest)
    this.manifests.set(`${repository}:${digestOf(manifest)}`, manifest)
  }

  private answer(url: string, isHead: boolean, response: ServerResponse): void {
    const [, repository, kind, name] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(url) ?? []
    const content = kind === 'blobs' ? this.blobs.get(name ?? '') : this.manifests.get(`${repository}:${name}`)
    if (url === '/v2/') response.end('{}')
    else if (content === undefined) response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
    else {
      const type = kind === 'blobs' ? 'application/octet-stream' : MANIFEST
      const headers = {
        'content-type': type,
        'content-length': content.length,
        'docker-content-digest': digestOf(content),
      }
      response.writeHead(200, headers).end(isHead ? undefined : content)
    }
  }
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}
