import { createProcessRuntime } from './process-runtime.js'
import { runCli } from './program.js'

// `tributary … | head` closes our output early: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

// Not process.exit(): what was written to a pipe must get out first.
process.exitCode = await runCli(process.argv.slice(2), createProcessRuntime(process.env))
