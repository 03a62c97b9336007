// Runs the program that is its first argument, in this process, and ends it at once when standard input ends: whoever started it holds
// the other end of that pipe open, and is gone then, however it went. It ends nothing but itself, so it cannot hit anybody else.
import { pathToFileURL } from 'node:url'

// The program finds its own name and arguments where it looks for them.
process.argv.splice(1, 1)
const program = process.argv[1]
process.stdin.once('end', () => process.kill(process.pid, 'SIGKILL')).on('error', () => undefined)
process.stdin.resume()
// It alone is no reason to go on.
process.stdin.unref()
await import(pathToFileURL(program).href)
