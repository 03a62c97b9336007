// What every command does first: install the locked dependencies when they are missing or older than the lock, then build.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildConsole } from './build-console.mjs'

/** The project's root folder. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')

const OLDEST_NODE = [20, 19]
const lockFile = path.join(root, 'package-lock.json')
const stampFile = path.join(root, 'node_modules/.tributary-lock')

/** Installs and builds what is missing or stale. Ends the process with one clear line when that fails. */
export function prepare() {
  checkNode()
  if (installIsStale()) {
    console.log('Installing dependencies (npm ci) …')
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
    writeFileSync(stampFile, lockHash())
  }
  run(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-b'])
  const built = buildConsole()
  if (built !== 0) process.exit(built)
}

/** Runs a command in the root with this terminal; ends the process with its status when it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (result.error) {
    console.error(`error: cannot run ${command}: ${result.error.message}`)
    process.exit(1)
  }
  if (result.status !== 0) process.exit(result.status ?? 1)
}

/**
 * True when `node_modules` is missing or was made from another lock file. What we installed bears the lock's hash: a checkout alone, which
 * only touches the file, does not install again.
 */
function installIsStale() {
  const installed = path.join(root, 'node_modules/.package-lock.json')
  if (!existsSync(installed)) return true
  if (existsSync(stampFile)) return readFileSync(stampFile, 'utf8') !== lockHash()
  return statSync(lockFile).mtimeMs > statSync(installed).mtimeMs
}

function lockHash() {
  return createHash('sha256').update(readFileSync(lockFile)).digest('hex')
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return
  console.error(`error: Tributary needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}.`)
  process.exit(1)
}
