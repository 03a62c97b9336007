import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { RepositoryRef } from '../../ports/source-control.js'

const run = promisify(execFile)

/** A temporary folder that removes itself. */
export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string
}

/** Makes a folder under the system's temporary one. */
export async function temporaryFolder(prefix = 'tributary-'): Promise<TemporaryFolder> {
  const path = await realpath(await mkdtemp(join(tmpdir(), prefix)))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) }
}

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.com',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.com',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
}

/** A real repository on disk that plays the git server. */
export class TestRepository {
  private constructor(
    readonly path: string,
    readonly ref: RepositoryRef,
  ) {}

  static async create(path: string, name = 'shop'): Promise<TestRepository> {
    await mkdir(path, { recursive: true })
    const repository = new TestRepository(path, { name, url: path, integrationBranch: 'main' })
    await repository.git('init', '--quiet', '--initial-branch=main')
    return repository
  }

  /** Runs git in the repository and returns what it printed, trimmed. */
  async git(...args: string[]): Promise<string> {
    const { stdout } = await run('git', args, { cwd: this.path, env: { ...process.env, ...IDENTITY } })
    return stdout.trim()
  }

  /** Writes files and commits them on the current branch; returns the commit's id. */
  async commit(files: Readonly<Record<string, string>>, message = 'change'): Promise<string> {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(this.path, path)), { recursive: true })
      await writeFile(join(this.path, path), text)
    }
    await this.git('add', '--all')
    await this.git('commit', '--quiet', '--allow-empty', '-m', message)
    return this.git('rev-parse', 'HEAD')
  }

  /** Starts a branch at a commit and makes it current. */
  async branch(name: string, from = 'HEAD'): Promise<void> {
    await this.git('checkout', '--quiet', '-b', name, from)
  }
}
