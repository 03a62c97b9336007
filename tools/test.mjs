// npm test: installs and builds if needed, runs every test with coverage, and ends with the line `N passed, N failed`.
// Arguments are handed to vitest: `npm test -- merge-patch` runs the files whose name holds "merge-patch" (without coverage bounds).
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { prepare, root } from './lib/prepare.mjs'

prepare()

const filters = process.argv.slice(2)
const resultFile = path.join(root, '.tmp/test-results.json')
mkdirSync(path.dirname(resultFile), { recursive: true })
rmSync(resultFile, { force: true })

const { status } = spawnSync(
  process.execPath,
  [
    path.join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${resultFile}`,
    ...(filters.length === 0 ? ['--coverage'] : filters),
  ],
  { cwd: root, stdio: 'inherit' },
)

const counts = readCounts()
if (status !== 0 && counts.failed === 0) counts.failed = 1
if (filters.length === 0) printDomainCoverage()
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`)
process.exit(status ?? 1)

/** Tests that could not be run at all (a file that does not load) count as one failure. */
function readCounts() {
  try {
    const results = JSON.parse(readFileSync(resultFile, 'utf8'))
    return {
      passed: results.numPassedTests,
      failed: results.numFailedTests,
      skipped: results.numPendingTests + (results.numTodoTests ?? 0),
    }
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

function printDomainCoverage() {
  try {
    const summary = JSON.parse(readFileSync(path.join(root, 'coverage/coverage-summary.json'), 'utf8'))
    for (const folder of ['services/config-center/src/domain', 'services/env-manager/src/domain']) {
      const lines = { total: 0, covered: 0 }
      for (const [file, entry] of Object.entries(summary)) {
        if (!file.includes(`${folder}/`)) continue
        lines.total += entry.lines.total
        lines.covered += entry.lines.covered
      }
      console.log(`coverage of ${folder}: ${((100 * lines.covered) / lines.total).toFixed(1)} % of lines`)
    }
  } catch {
    console.log('coverage: no summary was written')
  }
}
