import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

/**
 * Folders below `node_modules` that the workspaces need when they run, by package-lock.json: dependencies, those of a platform that are there, and
 * peers that are not optional. Paths are relative to the root. A dependency that is missing is an error: `npm ci` first.
 */
export function productionClosure(root, workspaces) {
  const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'))
  const found = new Set()
  const open = [...workspaces]
  for (let from = open.pop(); from !== undefined; from = open.pop()) {
    for (const { name, isOptional } of neededBy(packages[from])) {
      const target = resolve(packages, from, name)
      if (target === undefined || (!packages[target].link && !existsSync(path.join(root, target)))) {
        if (isOptional) continue
        throw new Error(`${from} needs ${name}, which is not installed; run npm ci`)
      }
      const { link, resolved } = packages[target]
      if (link) {
        if (!workspaces.includes(resolved))
          throw new Error(`${from} needs the workspace ${resolved}, which is not among those that are shipped`)
        continue
      }
      if (found.has(target)) continue
      found.add(target)
      open.push(target)
    }
  }
  return [...found].sort((left, right) => (left < right ? -1 : 1))
}

function neededBy({ dependencies = {}, optionalDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} }) {
  const isOptionalPeer = (name) => peerDependenciesMeta[name]?.optional === true
  return [
    ...Object.keys(dependencies).map((name) => ({ name, isOptional: name in optionalDependencies })),
    ...Object.keys(optionalDependencies).map((name) => ({ name, isOptional: true })),
    ...Object.keys(peerDependencies)
      .filter((name) => !isOptionalPeer(name))
      .map((name) => ({ name, isOptional: false })),
  ]
}

/** As node looks for a package: beside the one that asks, then further up. */
function resolve(packages, from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')))) {
    const candidate = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`
    if (packages[candidate] !== undefined) return candidate
    if (folder === '') return undefined
  }
}
