import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { repositoryRoot } from '../ensure-built.js'
import { testKubeconfig } from './describe-with-cluster.js'

const run = promisify(execFile)

/** An image that runs a node program on the test cluster, which pulls nothing: use `imagePullPolicy: Never`. */
export interface TestImageOptions {
  /** Name without a tag. */
  readonly name: string
  /** Default: a hash of the content. */
  readonly tag?: string
  /** Files by their path below `/app`: texts, or folders and files to copy. */
  readonly files: Readonly<Record<string, string | { readonly copyOf: string }>>
  /** Arguments of node, with `/app` as the working folder's place for absolute paths. */
  readonly command: readonly string[]
}

const made = new Map<string, Promise<void>>()

/**
 * Makes the image on the cluster's node unless one of the same content is there, and answers `name:tag`. It is made by the program that
 * `TRIBUTARY_TEST_IMAGE_TOOL` names (default: `../shared/tools/kube/kube`), which has to understand `node-rootfs DIR` and
 * `image NAME:TAG DIR COMMAND…`.
 */
export async function testImage(options: TestImageOptions): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-image-'))
  try {
    await writeFiles(join(folder, 'app'), options.files)
    const hash = await hashOf(join(folder, 'app'), options.command)
    const image = `${options.name}:${options.tag ?? hash}`
    const marker = markerOf(`${image}-${hash}`)
    const making =
      made.get(marker) ?? (existsSync(marker) ? Promise.resolve() : makeImage(image, folder, options.command))
    made.set(marker, making)
    await making
    await mkdir(dirname(marker), { recursive: true })
    await writeFile(marker, '')
    return image
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function makeImage(image: string, folder: string, command: readonly string[]): Promise<void> {
  const tool = process.env['TRIBUTARY_TEST_IMAGE_TOOL'] ?? join(repositoryRoot, '../shared/tools/kube/kube')
  if (!existsSync(tool))
    throw new Error('no tool that makes images for the test cluster: set TRIBUTARY_TEST_IMAGE_TOOL')
  const root = join(folder, 'root')
  await run(tool, ['node-rootfs', root])
  await cp(join(folder, 'app'), join(root, 'app'), { recursive: true, verbatimSymlinks: true })
  // What is copied from a private folder would be private to root; programs run as somebody else.
  await run('chmod', ['-R', 'a+rX', join(root, 'app')])
  await run(tool, ['image', image, root, 'node', ...command], { maxBuffer: 16 * 1024 * 1024 })
}

/** Beside the kubeconfig, which goes with its cluster: what one cluster has, the next one may lack. */
function markerOf(image: string): string {
  return join(`${testKubeconfig()}.images`, image.replaceAll(/[^a-z0-9.-]/gi, '_'))
}

async function writeFiles(app: string, files: TestImageOptions['files']): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const target = join(app, path)
    await mkdir(dirname(target), { recursive: true })
    if (typeof content === 'string') await writeFile(target, content)
    else await cp(content.copyOf, target, { recursive: true, dereference: true })
  }
}

async function hashOf(folder: string, command: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([command, process.version]))
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  for (const file of files.sort()) hash.update(`${file.slice(folder.length)}\0`).update(await readFile(file))
  return hash.digest('hex').slice(0, 16)
}
