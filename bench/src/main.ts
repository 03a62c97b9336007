import { execFileSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { baseChange } from './base-change.js'
import { consoleBench } from './console/console.js'
import { context } from './context.js'
import { deploy } from './deploy/deploy.js'
import { fanout } from './fanout/fanout.js'
import { memory } from './memory.js'
import { reads } from './reads.js'
import { resolve } from './resolve.js'
import { formatResult, toResult, type Figure } from './result.js'
import { startup } from './startup.js'
import { storm } from './storm.js'

/** Every bench by name, in the order in which all are run. */
const BENCHES: Readonly<Record<string, (subscribers: number) => Promise<Figure[]>>> = {
  resolve,
  context,
  reads,
  fanout,
  memory,
  'base-change': baseChange,
  storm,
  startup,
  console: consoleBench,
  deploy,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, subscribers: { type: 'string', default: '1000' } },
})
const names = positionals.length === 0 ? Object.keys(BENCHES) : positionals
const unknown = names.filter((name) => BENCHES[name] === undefined)
const subscribers = Number(values.subscribers)
if (unknown.length > 0 || !Number.isInteger(subscribers) || subscribers < 1) {
  process.stderr.write(`usage: npm run bench -- [${Object.keys(BENCHES).join('|')}] [--subscribers N] [--json]\n`)
  process.exit(2)
}
if (!values.json) process.stdout.write(`${describeMachine()}\n`)

let missed = 0
for (const name of names) {
  for (const figure of (await BENCHES[name]?.(subscribers)) ?? []) {
    const result = toResult(name, figure)
    if (result.holds === false) missed += 1
    process.stdout.write(`${values.json ? JSON.stringify(result) : formatResult(result)}\n`)
  }
}
process.exitCode = missed > 0 ? 1 : 0

function describeMachine(): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const [cpu] = cpus()
  return `${cpus().length} x ${cpu?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, commit ${commit}`
}
