// Builds the console's files when they are not those of its sources. Contents count: a checkout alone, which only touches files, builds nothing.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')

/** Beside `src`, what goes into the built files. */
const OTHERS = ['index.html', 'vite.config.ts', 'package.json', 'public/icon.svg', '../package-lock.json']

/** Builds what is missing or stale: about a second. Answers the exit status; 0 also when there was nothing to do. */
export function buildConsole() {
  const folder = path.join(root, 'console')
  const hash = hashOf(folder)
  const stamp = stampFile(folder)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return 0
  const vite = path.join(root, 'node_modules/vite/bin/vite.js')
  const { status } = spawnSync(process.execPath, [vite, 'build', '--logLevel', 'error'], {
    cwd: folder,
    stdio: 'inherit',
  })
  if (status === 0) writeFileSync(stamp, hash)
  return status ?? 1
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
