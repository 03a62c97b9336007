// What every command does first: install the locked dependencies when they are missing or older than the lock, then build.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's root folder. */
export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')

const OLDEST_NODE = [20, 19]

/** Installs and builds what is missing or stale. Ends the process with one clear line when that fails. */
export function prepare() {
  checkNode()
  if (installIsStale()) {
    console.log('Installing dependencies (npm ci) …')
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  }
  run(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-b'])
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

/** True when `node_modules` is missing or was made from an older lock file. */
function installIsStale() {
  const installed = path.join(root, 'node_modules/.package-lock.json')
  return !existsSync(installed) || statSync(path.join(root, 'package-lock.json')).mtimeMs > statSync(installed).mtimeMs
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return
  console.error(`error: Tributary needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}.`)
  process.exit(1)
}
