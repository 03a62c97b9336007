import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { kubeTools } from '@tributary/testkit'
import { ROOT } from '../../support/platform.js'

const run = promisify(execFile)

/** An image of the platform by its parts. */
export interface PlatformImage {
  readonly repository: string
  readonly tag: string
}

/** The tag is the same for all runs: an image of 250 MB for each would fill the disk. */
const IMAGE: PlatformImage = { repository: 'tributary-install/platform', tag: 'test' }
const GIT = '/usr/bin/git'

/**
 * Makes the platform's image for the test cluster: what the Dockerfile puts into it (tools/assemble-app.mjs, helm, git), on a root filesystem of this
 * machine instead of a base image. For a cluster that pulls images, name one in `TRIBUTARY_TEST_PLATFORM_IMAGE` (repository:tag).
 */
export async function makePlatformImage(): Promise<PlatformImage> {
  const given = process.env['TRIBUTARY_TEST_PLATFORM_IMAGE']
  if (given !== undefined) {
    const colon = given.lastIndexOf(':')
    return { repository: given.slice(0, colon), tag: given.slice(colon + 1) }
  }
  const tool = imageTool()
  const folder = await mkdtemp(path.join(tmpdir(), 'tributary-platform-'))
  try {
    const root = path.join(folder, 'root')
    await run(tool, ['node-rootfs', root])
    await run(process.execPath, [path.join(ROOT, 'tools/assemble-app.mjs'), path.join(folder, 'app')])
    await cp(path.join(folder, 'app'), path.join(root, 'app'), { recursive: true, verbatimSymlinks: true })
    await run('chmod', ['-R', 'a+rX', path.join(root, 'app')])
    await copyFile((await kubeTools()).helm, path.join(root, 'usr/local/bin/helm'))
    await copyFile(GIT, path.join(root, GIT))
    for (const binary of [GIT, ...(await nativeModules(path.join(root, 'app')))]) await copyLibraries(binary, root)
    await run(tool, ['image', `${IMAGE.repository}:${IMAGE.tag}`, root, 'node'], { maxBuffer: 16 * 1024 * 1024 })
    return IMAGE
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The program that makes images for the test cluster. */
export function imageTool(): string {
  const tool = process.env['TRIBUTARY_TEST_IMAGE_TOOL'] ?? path.join(ROOT, '../shared/tools/kube/kube')
  if (!existsSync(tool))
    throw new Error('no tool that makes images for the test cluster: set TRIBUTARY_TEST_IMAGE_TOOL')
  return tool
}

/** Modules in machine code for this machine's C library. */
async function nativeModules(app: string): Promise<string[]> {
  const files = await readdir(app, { recursive: true })
  return files.filter((file) => file.endsWith('.node') && !file.includes('musl')).map((file) => path.join(app, file))
}

/** What a base image has by itself: the shared libraries that a binary names. */
export async function copyLibraries(binary: string, root: string): Promise<void> {
  const { stdout } = await run('ldd', [binary])
  for (const [library] of stdout.matchAll(/\/[^ ]*/g)) {
    const target = path.join(root, library)
    if (existsSync(target) || library.includes(':')) continue
    await mkdir(path.dirname(target), { recursive: true })
    await copyFile(library, target)
  }
}
