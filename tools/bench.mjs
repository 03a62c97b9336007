// npm run bench [-- NAME …] [--json]: builds, then runs the benches in a fresh process.
import path from 'node:path'
import { prepare, root, run } from './lib/prepare.mjs'

prepare()
run(process.execPath, ['--expose-gc', path.join(root, 'bench/dist/main.js'), ...process.argv.slice(2)])
