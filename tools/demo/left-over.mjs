import { readdir, readlink } from 'node:fs/promises'

/** Processes whose working folder is in `folder`: none may be left at the end. Undefined where the system has no /proc. */
export async function processesIn(folder) {
  const names = await readdir('/proc').catch(() => undefined)
  if (names === undefined) return undefined
  const pids = names.filter((name) => /^\d+$/.test(name))
  const folders = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')))
  return pids.filter((_pid, index) => folders[index] === folder || folders[index].startsWith(`${folder}/`))
}
