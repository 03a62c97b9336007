// npm run check: format, lint with the import rules, types (tests included), dead code. Runs all, then says which failed.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { prepare, root } from './lib/prepare.mjs'

prepare()

const bin = (name, file) => path.join(root, 'node_modules', name, file)
const checks = [
  ['format', [bin('prettier', 'bin/prettier.cjs'), '--check', '--log-level', 'warn', '.']],
  ['lint', [bin('oxlint', 'bin/oxlint'), '--type-aware']],
  ['types', [bin('typescript', 'bin/tsc'), '-p', 'tsconfig.test.json', '--noEmit']],
  ['dead code', [bin('knip', 'bin/knip.js'), '--no-progress']],
]

const results = []
for (const [name, args] of checks) {
  const startedAt = performance.now()
  const { status, output } = await capture(args)
  results.push(status === 0)
  console.log(
    `${status === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(10)} ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
  )
  if (status !== 0) console.log(output)
}
process.exit(results.every(Boolean) ? 0 : 1)

function capture(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    child.on('close', (status) => resolve({ status, output }))
  })
}
