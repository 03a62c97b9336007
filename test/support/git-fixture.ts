import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const GIT_ENVIRONMENT = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.invalid',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.invalid',
}

/** File contents by path; null removes the file. */
export type Files = Readonly<Record<string, string | null>>

/** A bare repository with a working clone beside it: what a developer has. */
export class GitFixture {
  readonly #clone: string

  private constructor(
    /** Path of the bare repository: the URL to configure and to push to. */
    readonly url: string,
    clone: string,
  ) {
    this.#clone = clone
  }

  /** Makes `<directory>/<name>.git` with `files` on `main`, tagged `v1.0`. */
  static async create(directory: string, name: string, files: Files): Promise<GitFixture> {
    await mkdir(directory, { recursive: true })
    const bare = path.join(directory, `${name}.git`)
    const clone = path.join(directory, `${name}-clone`)
    await git(directory, ['init', '--quiet', '--bare', '--initial-branch=main', bare])
    await git(directory, ['clone', '--quiet', bare, clone])
    const fixture = new GitFixture(bare, clone)
    await git(clone, ['checkout', '--quiet', '-B', 'main'])
    await fixture.#commit(files, 'Start')
    await git(clone, ['tag', 'v1.0'])
    await git(clone, ['push', '--quiet', 'origin', 'main', 'v1.0'])
    return fixture
  }

  /** Opens the repositories that something else has made: `url` is cloned into `clone`. */
  static async open(url: string, clone: string): Promise<GitFixture> {
    await git(path.dirname(clone), ['clone', '--quiet', url, clone])
    return new GitFixture(url, clone)
  }

  /** Commits `files` on `branch` (made from another branch when it is new) and pushes it; returns the commit. */
  async push(
    branch: string,
    files: Files,
    {
      from = 'main',
      message = `Change ${Object.keys(files).join(', ')}`,
    }: { readonly from?: string; readonly message?: string } = {},
  ): Promise<string> {
    await this.#checkout(branch, from)
    const commit = await this.#commit(files, message)
    await git(this.#clone, ['push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`])
    return commit
  }

  /** Makes branches at the commit of `main` with one push. */
  async branchOff(branches: readonly string[]): Promise<void> {
    await git(this.#clone, [
      'push',
      '--quiet',
      '--atomic',
      'origin',
      ...branches.map((name) => `main:refs/heads/${name}`),
    ])
  }

  /** Deletes branches on the server with one push: whoever looks sees all of them or none. */
  async deleteAll(branches: readonly string[]): Promise<void> {
    await git(this.#clone, ['push', '--quiet', '--atomic', 'origin', '--delete', ...branches])
  }

  /** Deletes the branch on the server, and locally. */
  async delete(branch: string): Promise<void> {
    await git(this.#clone, ['push', '--quiet', 'origin', '--delete', `refs/heads/${branch}`])
    await git(this.#clone, ['checkout', '--quiet', '--detach'])
    await git(this.#clone, ['branch', '--quiet', '-D', '--', branch]).catch(() => undefined)
  }

  /** Branches on the server with their commits. */
  async branches(): Promise<ReadonlyMap<string, string>> {
    const answer = await git(this.#clone, ['ls-remote', '--heads', 'origin'])
    const lines = answer.split('\n').filter((line) => line !== '')
    return new Map(lines.map((line) => [line.slice(line.indexOf('refs/heads/') + 11), line.slice(0, 40)]))
  }

  async #checkout(branch: string, from: string): Promise<void> {
    const exists = await git(this.#clone, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`]).catch(() => '')
    if (exists !== '') await git(this.#clone, ['checkout', '--quiet', branch, '--'])
    else await git(this.#clone, ['checkout', '--quiet', '-B', branch, from])
  }

  async #commit(files: Files, message: string): Promise<string> {
    for (const [name, text] of Object.entries(files)) {
      const file = path.join(this.#clone, name)
      if (text === null) await rm(file, { force: true })
      else {
        await mkdir(path.dirname(file), { recursive: true })
        await writeFile(file, text)
      }
    }
    await git(this.#clone, ['add', '--all'])
    await git(this.#clone, ['commit', '--quiet', '--allow-empty', '-m', message])
    return (await git(this.#clone, ['rev-parse', 'HEAD'])).trim()
  }
}

async function git(cwd: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run('git', ['-C', cwd, ...args], { env: GIT_ENVIRONMENT, maxBuffer: 16 * 1024 * 1024 })
  return stdout
}
