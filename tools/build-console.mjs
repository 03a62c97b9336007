// Builds the console alone, when its sources have changed: for tests and for work on it. `npm start`, `npm test` and the others do it too.
import { buildConsole } from './lib/build-console.mjs'

process.exitCode = buildConsole()
