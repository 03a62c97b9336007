import { createProcessRuntime } from './process-runtime.js'
import { runCli } from './program.js'

// Not process.exit(): what was written to a pipe must get out first.
process.exitCode = await runCli(process.argv.slice(2), createProcessRuntime(process.env))
