import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { describeVersionOfDirectory } from '@tributary/env-manager'
import { testImage } from '@tributary/testkit'
import { ROOT } from '../../support/platform.js'

const run = promisify(execFile)

/** Folders of `node_modules` that the SDK needs at run time, with where they are here. */
const MODULES = {
  '@tributary/sdk/dist': 'sdk/dist',
  '@tributary/sdk/package.json': 'sdk/package.json',
  '@tributary/contract/dist': 'packages/contract/dist',
  '@tributary/contract/package.json': 'packages/contract/package.json',
  '@tributary/kit/dist': 'packages/kit/dist',
  '@tributary/kit/package.json': 'packages/kit/package.json',
  typebox: 'node_modules/typebox',
  undici: 'node_modules/undici',
} as const

/** An image of a repository's commit. */
export interface ImageOptions {
  readonly name: string
  /** What it runs unless told otherwise, from the repository's root. */
  readonly program: string
}

/** What a build in CI would do for a push: an image of the repository at the commit, tagged with its version. Answers its name. */
export async function buildImage(repository: string, commit: string, image: ImageOptions): Promise<string> {
  const clone = await mkdtemp(path.join(tmpdir(), 'tributary-build-'))
  try {
    await run('git', ['clone', '--quiet', repository, clone])
    await run('git', ['-C', clone, 'checkout', '--quiet', commit])
    const version = await describeVersionOfDirectory(clone, { signal: AbortSignal.timeout(30_000), host: process.env })
    await rm(path.join(clone, '.git'), { recursive: true })
    const modules = Object.entries(MODULES).map(
      ([name, from]) => [`node_modules/${name}`, { copyOf: path.join(ROOT, from) }] as const,
    )
    const name = `tributary-example/${image.name}`
    await testImage({
      name,
      tag: version,
      files: { ...Object.fromEntries(modules), '.': { copyOf: clone } },
      command: [`/app/${image.program}`],
    })
    return `${name}:${version}`
  } finally {
    await rm(clone, { recursive: true, force: true })
  }
}

/** As {@link buildImage}, an image for each service; `services` are folders by name. */
export async function buildImages(
  repository: string,
  commit: string,
  services: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, folder] of Object.entries(services))
    await buildImage(repository, commit, { name, program: path.posix.join(folder, 'server.mjs') })
}
