import { posix } from 'node:path'

/** The folder that a path within a repository is in; `''` is the root. */
export function folderOf(path: string): string {
  const folder = posix.dirname(path)
  return folder === '.' ? '' : folder
}

/**
 * Resolves a path that a file of the repository names relative to `folder`. Undefined when it leaves the repository, is
 * absolute, or holds a backslash or a control character: such a path never reaches git or a file system.
 */
export function resolveInRepository(folder: string, path: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is refused
  if (path.startsWith('/') || /[\\\u0000-\u001f\u007f]/.test(path)) return undefined
  const resolved = posix.normalize(posix.join(folder, path)).replace(/\/+$/, '')
  if (resolved === '..' || resolved.startsWith('../')) return undefined
  return resolved === '.' ? '' : resolved
}

/** True when `path` is `folder` or lies below it. The root (`''`) holds everything. */
export function isWithin(folder: string, path: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`)
}
