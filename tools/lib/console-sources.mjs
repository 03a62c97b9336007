// Tells whether the console's built files are those of its sources, by their contents: a checkout alone, which only touches files, builds nothing.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** Beside `src`, what goes into the built files. */
const OTHERS = ['index.html', 'vite.config.ts', 'package.json', 'public/icon.svg', '../package-lock.json']

/** True when `folder`, the console's, has no built files or those of other sources. */
export function consoleIsStale(folder) {
  const stamp = stampFile(folder)
  return !existsSync(stamp) || readFileSync(stamp, 'utf8') !== hashOf(folder)
}

/** Notes of which sources the built files are. */
export function markConsole(folder) {
  writeFileSync(stampFile(folder), hashOf(folder))
}

/** A hidden file: the server does not give it to anybody. */
function stampFile(folder) {
  return path.join(folder, 'dist/.sources')
}

function hashOf(folder) {
  const hash = createHash('sha256')
  for (const file of [...sourcesOf(path.join(folder, 'src')), ...OTHERS.map((name) => path.join(folder, name))]) {
    hash.update(`${path.relative(folder, file)}\n`).update(readFileSync(file))
  }
  return hash.digest('hex')
}

function sourcesOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
}
