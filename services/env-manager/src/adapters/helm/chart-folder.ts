import { readdir, realpath, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { failure } from '../../errors.js'

/** More than any real chart: helm reads all of it into memory, and keeps it in the release record. */
const MAX_ENTRIES = 2000
const MAX_BYTES = 20 * 1024 * 1024

/**
 * Makes sure that helm reads nothing but the chart: the folder is within `root` (where one is given), has a Chart.yaml, is not without bounds, and has no
 * symbolic link, which helm would follow to the manager's own files. Answers the folder's real path.
 * @throws AppError `CHART_INVALID`
 */
export async function checkedChartFolder(folder: string, root: string | undefined): Promise<string> {
  const real = await realpath(folder).catch((cause: unknown) => {
    throw failure('CHART_INVALID', `could not read the chart ${nameOf(folder, root)}: there is no such folder`, {
      cause,
    })
  })
  if (root !== undefined && !isWithin(await realpath(root), real)) {
    throw failure('CHART_INVALID', `could not use the chart ${nameOf(folder, root)}: it leads out of its repository`)
  }
  await checkEntries(real, nameOf(folder, root))
  return real
}

async function checkEntries(folder: string, name: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw failure('CHART_INVALID', `could not read the chart ${name}: it is not a folder`, { cause })
  })
  const refuse = (why: string): never => {
    throw failure('CHART_INVALID', `could not use the chart ${name}: ${why}`)
  }
  if (!entries.some((entry) => entry.name === 'Chart.yaml' && entry.parentPath === folder))
    refuse('it has no Chart.yaml')
  if (entries.length > MAX_ENTRIES) refuse(`it has more than ${MAX_ENTRIES} files`)
  let bytes = 0
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile() && !entry.isDirectory()) {
      refuse(`${relative(folder, path)} is a symbolic link or no regular file; put a copy in its place`)
    }
    bytes += entry.isFile() ? (await stat(path)).size : 0
    if (bytes > MAX_BYTES) refuse(`it is larger than ${MAX_BYTES / 2 ** 20} MiB`)
  }
}

function isWithin(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)
}

/** As the repository's people know it. */
function nameOf(folder: string, root: string | undefined): string {
  return JSON.stringify(root === undefined ? folder : relative(root, folder) || '.')
}
