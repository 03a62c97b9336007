import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { repositoryRoot } from '../ensure-built.js'
import { testKubeconfig } from './describe-with-cluster.js'

const run = promisify(execFile)

/** An image that runs a node program on the test cluster, which pulls nothing: use `imagePullPolicy: Never`. */
export interface TestImageOptions {
  /** Name without a tag. */
  readonly name: string
  /** Files by their path below `/app`: texts, or folders and files to copy. */
  readonly files: Readonly<Record<string, string | { readonly copyOf: string }>>
  /** Arguments of node, with `/app` as the working folder's place for absolute paths. */
  readonly command: readonly string[]
}

const made = new Map<string, Promise<string>>()

/**
 * Makes the image on the cluster's node unless one of the same content is there, and answers `name:tag`. It is made by the program that
 * `TRIBUTARY_TEST_IMAGE_TOOL` names (default: `../shared/tools/kube/kube`), which has to understand `node-rootfs DIR` and
 * `image NAME:TAG DIR COMMAND…`.
 */
export function testImage(options: TestImageOptions): Promise<string> {
  const key = JSON.stringify(options)
  const present = made.get(key)
  if (present !== undefined) return present
  const image = makeImage(options)
  made.set(key, image)
  return image
}

async function makeImage(options: TestImageOptions): Promise<string> {
  const tool = process.env['TRIBUTARY_TEST_IMAGE_TOOL'] ?? join(repositoryRoot, '../shared/tools/kube/kube')
  if (!existsSync(tool))
    throw new Error(`no tool that makes images for the test cluster: set TRIBUTARY_TEST_IMAGE_TOOL`)
  const folder = await mkdtemp(join(tmpdir(), 'tributary-image-'))
  try {
    const app = join(folder, 'app')
    await writeFiles(app, options.files)
    const image = `${options.name}:${await hashOf(app, options.command)}`
    const marker = markerOf(image)
    if (existsSync(marker)) return image
    const root = join(folder, 'root')
    await run(tool, ['node-rootfs', root])
    await cp(app, join(root, 'app'), { recursive: true, verbatimSymlinks: true })
    await run(tool, ['image', image, root, 'node', ...options.command], { maxBuffer: 16 * 1024 * 1024 })
    await mkdir(join(marker, '..'), { recursive: true })
    await writeFile(marker, '')
    return image
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Beside the kubeconfig, which goes with its cluster: what one cluster has, the next one may lack. */
function markerOf(image: string): string {
  return join(`${testKubeconfig()}.images`, image.replaceAll(/[^a-z0-9.-]/gi, '_'))
}

async function writeFiles(app: string, files: TestImageOptions['files']): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const target = join(app, path)
    await mkdir(join(target, '..'), { recursive: true })
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
