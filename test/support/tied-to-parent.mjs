// Runs the program that is its first argument, in this process, and ends it at once when standard input ends: whoever started it holds
// the other end of that pipe open, and is gone then, however it went. With it go the processes that run in its data folder: an env-manager's
// services are meant to outlive it. The folder is the test's own, so nobody else can be hit.
import { readdirSync, readlinkSync, realpathSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

/** Each look takes some milliseconds, and what was killed is there for a moment longer. */
const LOOKS = 100

// The program finds its own name and arguments where it looks for them.
process.argv.splice(1, 1)
const program = process.argv[1]
process.stdin.once('end', end).on('error', () => undefined)
process.stdin.resume()
// It alone is no reason to go on.
process.stdin.unref()
await import(pathToFileURL(program).href)

/** Without a pause: a supervisor in this process would start again what is killed. */
function end() {
  try {
    const folder = realpathSync(process.env.TRIBUTARY_DATA_DIR ?? '')
    for (let look = 0; look < LOOKS; look += 1) {
      const pids = processesIn(folder)
      if (pids.length === 0) break
      pids.forEach(kill)
    }
  } finally {
    process.kill(process.pid, 'SIGKILL')
  }
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended between the look and the signal.
  }
}

/** Processes that a process of the folder starts meanwhile are found by the next look. */
function processesIn(folder) {
  return readdirSync('/proc').flatMap((name) => (isIn(folder, name) ? [Number(name)] : []))
}

function isIn(folder, pid) {
  if (!/^\d+$/.test(pid)) return false
  try {
    return `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${folder}/`)
  } catch {
    return false
  }
}
