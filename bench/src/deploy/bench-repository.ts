import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const AUTHOR = { NAME: 'Bench', EMAIL: 'bench@example.invalid' }
const ENVIRONMENT = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  ...Object.fromEntries(
    Object.entries(AUTHOR).flatMap(([name, value]) => [
      [`GIT_AUTHOR_${name}`, value],
      [`GIT_COMMITTER_${name}`, value],
    ]),
  ),
}

/** A repository with services in folders of their names, all of one image, and a clone to push from. */
export class BenchRepository {
  private constructor(
    readonly url: string,
    private readonly clone: string,
  ) {}

  static async create(folder: string, services: readonly string[], image: string): Promise<BenchRepository> {
    const repository = new BenchRepository(path.join(folder, 'bench.git'), path.join(folder, 'bench'))
    await git(folder, ['init', '--quiet', '--bare', '--initial-branch=main', repository.url])
    await git(folder, ['clone', '--quiet', repository.url, repository.clone])
    for (const service of services) {
      await mkdir(path.join(repository.clone, service))
      await writeFile(path.join(repository.clone, service, 'service.yaml'), definition(service, image))
    }
    await repository.push('main', services)
    return repository
  }

  /** Commits a change of each of the services on the branch, and pushes it. Answers the commit. */
  async push(branch: string, services: readonly string[]): Promise<string> {
    await git(this.clone, ['checkout', '--quiet', '-B', branch])
    for (const service of services) await writeFile(path.join(this.clone, service, 'change'), String(process.hrtime()))
    await git(this.clone, ['add', '--all'])
    await git(this.clone, ['commit', '--quiet', '--message', `Change ${services.join(', ')}`])
    await git(this.clone, ['push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`])
    return (await git(this.clone, ['rev-parse', 'HEAD'])).trim()
  }
}

function definition(service: string, image: string): string {
  const text = {
    apiVersion: 'tributary/v1',
    kind: 'Service',
    name: service,
    health: { readiness: '/' },
    run: { image },
  }
  return JSON.stringify(text)
}

async function git(folder: string, args: readonly string[]): Promise<string> {
  return (await run('git', ['-C', folder, ...args], { env: ENVIRONMENT })).stdout
}
