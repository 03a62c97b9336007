#!/usr/bin/env node
import { existsSync } from 'node:fs'

// In a clone that was never built there is nothing to import, and node's own answer to that helps nobody.
if (existsSync(new URL('../dist/main.js', import.meta.url))) await import('../dist/main.js')
else {
  process.stderr.write(
    'error: tributary has not been built yet; `npm start` or `npm run build` in its folder does that\n',
  )
  process.exitCode = 1
}
