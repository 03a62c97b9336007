import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, realpath, rm, stat } from 'node:fs/promises'
import { basename, join, sep } from 'node:path'
import { KeyedMutex } from '@tributary/kit'
import { failure } from '../../errors.js'
import type { WorkloadSpec } from '../../ports/platform.js'
import type { SourceControl } from '../../ports/source-control.js'
import { writeFileAtomically } from './atomic-file.js'
import { mapping } from './local-errors.js'
import { removeTree } from './remove-tree.js'
import type { SpaceLayout } from './space-layout.js'

/** The git side of spaces: one worktree for each repository and commit of an environment, shared by the services that need it. */
export class Checkouts {
  private readonly lock = new KeyedMutex()

  constructor(
    private readonly layout: SpaceLayout,
    private readonly sourceControl: SourceControl,
  ) {}

  directoryOf(spec: Pick<WorkloadSpec, 'environment' | 'repository' | 'commitSha'>): string {
    return this.layout.checkout(spec.environment, spec.repository, spec.commitSha)
  }

  /** Makes the worktree if need be. */
  async ensure(spec: WorkloadSpec): Promise<void> {
    const directory = this.directoryOf(spec)
    await this.lock.run(directory, async () => {
      await mapping(`make ${directory}`, () => mkdir(this.layout.checkouts(spec.environment), { recursive: true }))
      await this.sourceControl.ensureCheckout({ name: spec.repository }, spec.commitSha, directory)
    })
  }

  /** The service's folder in the worktree. @throws AppError `PLATFORM_START_FAILED` when it is missing or leads out of the worktree. */
  async workingDirectory(spec: WorkloadSpec): Promise<string> {
    const root = this.directoryOf(spec)
    const path = await realpath(join(root, spec.directory)).catch(() => undefined)
    const isFolder = path !== undefined && (await stat(path)).isDirectory()
    if (path === undefined || !isFolder || (path !== root && !path.startsWith(root + sep))) {
      throw failure(
        'PLATFORM_START_FAILED',
        `could not start ${spec.service}: ${JSON.stringify(spec.directory)} is not a folder of ${spec.repository} at ${spec.commitSha}`,
      )
    }
    return path
  }

  /** Runs `build` unless the same command has already succeeded for the service in this worktree. Builds of a worktree do not overlap. */
  async buildOnce(spec: WorkloadSpec, command: readonly string[], build: () => Promise<void>): Promise<void> {
    const directory = this.directoryOf(spec)
    const folder = this.layout.builds(spec.environment, basename(directory))
    const file = join(folder, `${spec.service}.json`)
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([spec.directory, command]))
      .digest('hex')
    await this.lock.run(directory, async () => {
      if ((await readFile(file, 'utf8').catch(() => '')) === fingerprint) return
      await build()
      await mapping(`note the build of ${spec.service}`, async () => {
        await mkdir(folder, { recursive: true })
        await writeFileAtomically(file, fingerprint)
      })
    })
  }

  /** Removes a worktree, unless `isUsed` says otherwise once it is its turn. */
  async removeUnused(directory: string, isUsed: () => boolean): Promise<void> {
    await this.lock.run(directory, async () => {
      if (!isUsed()) await this.remove(directory)
    })
  }

  /** Worktrees of all spaces, as found in git's records and on the disk. */
  async list(): Promise<readonly { readonly environment: string; readonly directory: string }[]> {
    const recorded = (await this.sourceControl.listCheckouts()).map(({ directory }) => directory)
    const onDisk = await this.listFolders()
    return [...new Set([...recorded, ...onDisk])]
      .filter((directory) => this.layout.contains(directory))
      .map((directory) => ({ directory, environment: this.environmentOf(directory) }))
  }

  /** Whether git or the disk still knows a worktree, in words; undefined when neither does. */
  async traceOf(directory: string): Promise<string | undefined> {
    if (await exists(directory)) return `the folder ${directory} is there`
    const recorded = await this.sourceControl.listCheckouts()
    return recorded.some((checkout) => checkout.directory === directory)
      ? `git still lists the worktree ${directory}`
      : undefined
  }

  private async remove(directory: string): Promise<void> {
    const recorded = (await this.sourceControl.listCheckouts()).filter((checkout) => checkout.directory === directory)
    await mapping(`remove ${directory}`, () => removeTree(directory))
    for (const { repository } of recorded) await this.sourceControl.removeCheckout({ name: repository }, directory)
    await rm(this.layout.builds(this.environmentOf(directory), basename(directory)), { recursive: true, force: true })
  }

  private async listFolders(): Promise<string[]> {
    const environments = await readdir(this.layout.root).catch(() => [])
    const lists = await Promise.all(
      environments.map(async (environment) => {
        const folder = this.layout.checkouts(environment)
        return (await readdir(folder).catch(() => [])).map((name) => join(folder, name))
      }),
    )
    return lists.flat()
  }

  private environmentOf(directory: string): string {
    return directory.slice(this.layout.root.length + 1).split(sep)[0] ?? ''
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
